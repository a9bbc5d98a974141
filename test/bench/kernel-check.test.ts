import test from 'ava';
import type { KernelCase, PlacedCase } from '../../src/bench/kernel-cases/case.ts';
import { kernelCases } from '../../src/bench/kernel-cases/cases.ts';
import { checkKernel, placeCase } from '../../src/bench/kernel-check.ts';
import { measureKernel } from '../../src/bench/kernels.ts';
import { chooseKernels, createKernels } from '../../src/kernels/backend.ts';
import type { Kernels } from '../../src/kernels/contract.ts';
import { createArena } from '../../src/memory/arena.ts';
import { TableBuilder } from '../../src/memory/table.ts';

const SIZES = { rows: 4, times: 3, hidden: 5, vocabulary: 7, lanes: 2 };
const CASES = kernelCases(SIZES);
const REFERENCE = chooseKernels('reference');
const WASM = chooseKernels('wasm');

/** The case whose call does something more in every backend but the reference. */
function spoilt(
  kernelCase: KernelCase,
  spoil: (kernels: Kernels, placed: PlacedCase, returned: unknown) => unknown,
): KernelCase {
  return {
    ...kernelCase,
    place(builder, kernels) {
      const placed = kernelCase.place(builder, kernels);
      if (kernels.backend === 'reference') return placed;
      let returned: unknown;
      const run = () => {
        returned = placed.run();
        return placed.reveal ? returned : spoil(kernels, placed, returned);
      };
      const reveal = () => {
        placed.reveal?.();
        if (placed.reveal) spoil(kernels, placed, returned);
      };
      return { ...placed, run, reveal };
    },
  };
}

for (const kernelCase of CASES) {
  const { name } = kernelCase;
  const { placed, reals, table } = placeCase(kernelCase, REFERENCE, SIZES);

  test(`every word that ${name} writes is one of its results`, (t) => {
    const before = reals.slice();
    const returned = placed.run();
    placed.reveal?.();
    t.true(placed.results.length > 0 || typeof returned === 'number');
    const free = table.regions.filter((region) => ['packed', 'scratch'].includes(region.name));
    const isCovered = (word: number) =>
      [...placed.results, ...free].some(
        ({ offset, length }) => word >= offset && word < offset + length,
      );
    const stray = [...reals.keys()].filter(
      (word) => !Object.is(reals[word], before[word]) && !isCovered(word),
    );
    t.deepEqual(stray, []);
    for (const { offset, length } of placed.results) {
      t.notDeepEqual(reals.slice(offset, offset + length), before.slice(offset, offset + length));
    }
  });

  test(`a wrong word in any result of ${name} is caught`, (t) => {
    t.notThrows(() => checkKernel(kernelCase, WASM, SIZES));
    for (const [i, { length }] of placed.results.entries()) {
      for (const word of [0, length - 1]) {
        const wrong = spoilt(kernelCase, (kernels, { results }, returned) => {
          kernels.fill(results[i].offset + word, 1, 1e4);
          return returned;
        });
        t.throws(() => checkKernel(wrong, WASM, SIZES), { message: /differs from the reference/ });
      }
    }
  });
}

test('a wrong number returned is caught', (t) => {
  const kernelCase = CASES.find(({ name }) => name === 'sumOfSquares')!;
  const wrong = spoilt(kernelCase, (_, __, returned) => Number(returned) * 1.001);
  t.throws(() => checkKernel(wrong, WASM, SIZES), { message: /sumOfSquares differs/ });
});

test('a packed form with a wrong word is caught', (t) => {
  for (const kernelCase of CASES.filter(({ name }) => name.startsWith('pack'))) {
    const { place } = kernelCase;
    const wrong: KernelCase = {
      ...kernelCase,
      place(builder, kernels) {
        const isReference = kernels.backend === 'reference';
        const pack: Kernels['pack'] = (...operands) => {
          kernels.pack(...operands);
          kernels.fill(operands[operands.length - 1], 1, 10);
        };
        return place(builder, isReference ? kernels : { ...kernels, pack });
      },
    };
    t.throws(() => checkKernel(wrong, WASM, SIZES), { message: /differs/ }, kernelCase.name);
  }
});

test('there is a case for every kernel of the contract', (t) => {
  const kernels = createKernels(REFERENCE, createArena(2 ** 16));
  const called = new Set<string>();
  const recording = new Proxy(kernels, {
    get(target, name: keyof Kernels) {
      called.add(name);
      return target[name];
    },
  });
  for (const { place } of CASES) {
    const { prepare, run } = place(new TableBuilder(), recording);
    prepare?.(new Int32Array(2 ** 16));
    run();
  }
  // The first two are no kernels; the loop is what shares of the peak are of.
  const others = ['backend', 'variant', 'panelColumns', 'multiplyAddLoop'];
  t.deepEqual(
    Object.keys(kernels)
      .filter((name) => !called.has(name))
      .sort(),
    others.sort(),
  );
});

test('a call that reads results of its own is timed on the same operands each time', (t) => {
  const names = ['lstmBackward', 'gruBackward', 'softmaxCrossEntropy', 'scatterAddRows'];
  for (const kernelCase of CASES.filter(({ name }) => names.includes(name))) {
    const seen: number[][] = [];
    const watched: KernelCase = {
      ...kernelCase,
      place(builder, kernels) {
        const placed = kernelCase.place(builder, kernels);
        const run = () => {
          const { results } = placed;
          if (kernels.backend !== 'reference')
            seen.push(results.map(({ offset, length }) => kernels.sumOfSquares(offset, length)));
          placed.run();
        };
        return { ...placed, run };
      },
    };
    t.true(measureKernel(watched, WASM, SIZES, 0.001).seconds > 0);
    t.true(seen.length >= 2, kernelCase.name);
    t.deepEqual(new Set(seen.map(String)), new Set([String(seen[0])]), kernelCase.name);
  }
});
