/** Sums over lanes, copies and the optimizers' updates. */
import type { Kernels } from '../../kernels/contract.ts';
import type { Offset } from '../../memory/table.ts';
import type { CaseSizes, KernelCase } from './case.ts';

/** The name of a region without negative numbers. */
export const SQUARES = 'squares';

/** On vectors as long as the weights of a layer, beyond the caches where H is large. */
export function vectorCases({ hidden, lanes }: CaseSizes): KernelCase[] {
  const n = 8 * hidden * hidden;
  const vector = (
    name: string,
    operands: string[],
    results: string[],
    call: (kernels: Kernels, offsets: Offset[]) => unknown,
  ): KernelCase => ({
    name,
    bytes: 4 * (operands.length + results.length) * n,
    place(builder, kernels) {
      const add = (region: string) => builder.add(region, 'float32', n);
      const read = operands.map(add);
      const written = results.map(add);
      return {
        run: () => call(kernels, [...read, ...written]),
        results: written.map((offset) => ({ offset, length: n })),
      };
    },
  });
  return [
    vector('add', ['a', 'b'], ['out'], (k, [a, b, out]) => k.add(a, b, out, n)),
    vector('copy', ['a'], ['out'], (k, [a, out]) => k.copy(a, out, n)),
    vector('fill', [], ['out'], (k, [out]) => k.fill(out, n, 0.5)),
    sumLanesCase(lanes, n),
    vector('sumOfSquares', ['a'], [], (k, [a]) => k.sumOfSquares(a, n)),
    vector('sgd', ['w', 'g'], ['wNext'], (k, [w, g, wNext]) =>
      k.sgd(w, wNext, 0, 0, g, n, 0.1, 1, 0.01, 0, 0, 0),
    ),
    vector('sgd with momentum', ['w', 'm', 'g'], ['mNext', 'wNext'], (k, [w, m, g, mNext, wNext]) =>
      k.sgd(w, wNext, m, mNext, g, n, 0.1, 1, 0.01, 0, 0.9, 0),
    ),
    vector(
      'adam',
      ['w', 'm', SQUARES, 'g'],
      ['mNext', 'vNext', 'wNext'],
      (k, [w, m, v, g, mNext, vNext, wNext]) =>
        k.adam(w, wNext, m, mNext, v, vNext, g, n, 0.1, 1, 0.01, 1.1, 0.9, 0.999, 1e-8, 0, 1),
    ),
    vector('rmsprop', ['w', SQUARES, 'g'], ['vNext', 'wNext'], (k, [w, v, g, vNext, wNext]) =>
      k.rmsprop(w, wNext, v, vNext, g, n, 0.1, 1, 0.01, 0.99, 1e-8, 0),
    ),
  ];
}

/** The reduction over as many vectors as there are lanes, none of them without a part. */
function sumLanesCase(lanes: number, n: number): KernelCase {
  return {
    name: `sumLanes (${lanes} lanes)`,
    bytes: 4 * (lanes + 1) * n,
    place(builder, kernels) {
      // The base is the word before them: a place of 0 would be a lane without a part.
      const base = builder.add('base', 'float32', 1);
      const first = builder.add('vectors', 'float32', lanes, n);
      const places = builder.add('lane places', 'int32', lanes);
      const out = builder.add('out', 'float32', n);
      const scratch = builder.add('scratch', 'float32', kernels.sumScratchLength(lanes));
      return {
        prepare: (ints) => {
          for (let lane = 0; lane < lanes; lane++) ints[places + lane] = first - base + lane * n;
        },
        run: () => kernels.sumLanes(base, places, lanes, n, out, scratch),
        results: [{ offset: out, length: n }],
      };
    },
  };
}
