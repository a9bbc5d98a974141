import test from 'ava';
import fc from 'fast-check';
import type { Kernels } from '../../src/kernels/contract.ts';
import { KERNEL_BACKENDS } from '../helpers/kernel-backends.ts';
import { AWKWARD_SIZES, Bed, type Fill, type Matrix, within } from './bed.ts';

/** Gates, states and slopes are of order one: a few roundings of 6e-8 each. */
const TOLERANCE = within(6e-7, 6e-7);
const ROWS = [0, 1, 2, 3, 7] as const;

interface Operation {
  name: string;
  /**
   * The operands: name, columns per unit, and what they hold where that is not any number in [−3,
   * 3).
   */
  operands: readonly (readonly [name: string, columns: number, fill?: (random: Fill) => Fill])[];
  outputs: readonly string[];
  call(kernels: Kernels, at: (name: string) => number, rows: number, width: number): void;
}

/** Activations in (0, 1), as σ leaves them. */
const activation =
  (random: Fill): Fill =>
  (i, j) =>
    0.5 + 0.49 * random(i, j);

const OPERATIONS: readonly Operation[] = [
  ...([0, 1] as const).flatMap((relu): Operation[] => [
    {
      name: `rnnForward ${relu ? 'relu' : 'tanh'}`,
      operands: [
        ['gates', 1],
        ['hidden', 1],
      ],
      outputs: ['hidden'],
      call: (kernels, at, rows, width) =>
        kernels.rnnForward(at('gates'), at('hidden'), rows, width, relu),
    },
    {
      name: `rnnForward ${relu ? 'relu' : 'tanh'} in place`,
      operands: [['gates', 1]],
      outputs: ['gates'],
      call: (kernels, at, rows, width) =>
        kernels.rnnForward(at('gates'), at('gates'), rows, width, relu),
    },
    {
      name: `rnnBackward ${relu ? 'relu' : 'tanh'}`,
      operands: [
        ['gates', 1],
        ['hidden', 1, activation],
        ['dHidden', 1],
      ],
      outputs: ['gates'],
      call: (kernels, at, rows, width) =>
        kernels.rnnBackward(at('gates'), at('hidden'), at('dHidden'), rows, width, relu),
    },
  ]),
  {
    name: 'lstmForward',
    operands: [
      ['gates', 4],
      ['cellBefore', 1],
      ['cell', 1],
      ['hidden', 1],
    ],
    outputs: ['gates', 'cell', 'hidden'],
    call: (kernels, at, rows, width) =>
      kernels.lstmForward(at('gates'), at('cellBefore'), at('cell'), at('hidden'), rows, width),
  },
  {
    name: 'lstmBackward',
    operands: [
      ['gates', 4, activation],
      ['cellBefore', 1],
      ['cell', 1],
      ['dHidden', 1],
      ['dCell', 1],
    ],
    outputs: ['gates', 'dCell'],
    call: (kernels, at, rows, width) =>
      kernels.lstmBackward(
        at('gates'),
        at('cellBefore'),
        at('cell'),
        at('dHidden'),
        at('dCell'),
        rows,
        width,
      ),
  },
  {
    name: 'gruForward',
    operands: [
      ['gates', 4],
      ['hiddenBefore', 1],
      ['hidden', 1],
    ],
    outputs: ['gates', 'hidden'],
    call: (kernels, at, rows, width) =>
      kernels.gruForward(at('gates'), at('hiddenBefore'), at('hidden'), rows, width),
  },
  {
    name: 'gruBackward',
    operands: [
      ['gates', 4, activation],
      ['hiddenBefore', 1],
      ['dHidden', 1],
      ['dHiddenBefore', 1],
    ],
    outputs: ['gates', 'dHiddenBefore'],
    call: (kernels, at, rows, width) =>
      kernels.gruBackward(
        at('gates'),
        at('hiddenBefore'),
        at('dHidden'),
        at('dHiddenBefore'),
        rows,
        width,
      ),
  },
];

type Operands = Map<string, Matrix>;

function place(bed: Bed, operation: Operation, rows: number, width: number): Operands {
  return new Map(
    operation.operands.map(([name, columns, fill]) => {
      const matrix = bed.matrix(rows, columns * width);
      const numbers = bed.numbersOf(matrix);
      const random: Fill = (i, j) => numbers[i * matrix.width + j];
      const scaled = fill?.(random) ?? ((i, j) => 3 * random(i, j));
      const filled = numbers.map((_, index) =>
        scaled(Math.floor(index / matrix.width), index % matrix.width),
      );
      bed.write(matrix, filled);
      return [name, matrix];
    }),
  );
}

/** Calls an operation on the rows from `first` on. */
function call(
  kernels: Kernels,
  operation: Operation,
  operands: Operands,
  width: number,
  first: number,
  rows: number,
): void {
  const at = (name: string) => operands.get(name)!.offset + first * operands.get(name)!.stride;
  operation.call(kernels, at, rows, width);
}

for (const backend of KERNEL_BACKENDS) {
  for (const operation of OPERATIONS) {
    test(`${backend.name}: ${operation.name} is right at every awkward width`, (t) => {
      const bed = new Bed(backend);
      for (const rows of ROWS) {
        for (const width of AWKWARD_SIZES) {
          bed.clear();
          const operands = place(bed, operation, rows, width);
          bed.run((kernels) => call(kernels, operation, operands, width, 0, rows));
          const outputs = operation.outputs.map((name) => operands.get(name)!);
          bed.check(t, `${rows} rows, width ${width}`, outputs, TOLERANCE);
        }
      }
    });

    test(`${backend.name}: ${operation.name} gives a row the same bits in any cut`, (t) => {
      const bed = new Bed(backend);
      const sizes = fc.record({
        rows: fc.integer({ min: 1, max: 12 }),
        width: fc.integer({ min: 1, max: 40 }),
        cut: fc.double({ min: 0, max: 1, noNaN: true }),
      });
      const law = fc.property(sizes, ({ rows, width, cut }) => {
        bed.clear();
        const atOnce = place(bed, operation, rows, width);
        const inParts = place(bed, operation, rows, width);
        for (const [name, matrix] of inParts) bed.write(matrix, bed.numbersOf(atOnce.get(name)!));
        call(bed.kernels, operation, atOnce, width, 0, rows);
        const first = Math.floor(cut * rows);
        call(bed.kernels, operation, inParts, width, first, rows - first);
        call(bed.kernels, operation, inParts, width, 0, first);
        return operation.outputs.every((name) =>
          bed.bitsOf(inParts.get(name)!).equals(bed.bitsOf(atOnce.get(name)!)),
        );
      });
      t.notThrows(() => fc.assert(law, { seed: 3, numRuns: 50 }));
    });
  }

  test(`${backend.name}: a NaN in one unit of a cell reaches that unit and no other`, (t) => {
    const bed = new Bed(backend);
    const [rows, width, row, column] = [3, 7, 1, 5];
    for (const operation of OPERATIONS) {
      bed.clear();
      const operands = place(bed, operation, rows, width);
      const input = operands.get(operation.name.includes('Forward') ? 'gates' : 'dHidden')!;
      const numbers = bed.numbersOf(input);
      numbers[row * input.width + column] = Number.NaN;
      bed.write(input, numbers);
      call(bed.kernels, operation, operands, width, 0, rows);
      for (const name of operation.outputs) {
        const output = operands.get(name)!;
        const places = [...bed.numbersOf(output).entries()]
          .filter(([, value]) => Number.isNaN(value))
          .map(([index]) => [Math.floor(index / output.width), (index % output.width) % width]);
        t.deepEqual(new Set(places.map(String)), new Set([`${row},${column}`]), operation.name);
      }
    }
  });
}
