import test from 'ava';
import fc from 'fast-check';
import type { Kernels } from '../../src/kernels/contract.ts';
import { KERNEL_BACKENDS } from '../helpers/kernel-backends.ts';
import { AWKWARD_SIZES, Bed, type Matrix, within } from './bed.ts';

const TOLERANCE = within(3e-7, 3e-7);
const { NaN: NOT_A_NUMBER, POSITIVE_INFINITY: INFINITE } = Number;

/** Parameters and moments of both generations, and the gradient. */
type State = Record<'w' | 'wNext' | 'm' | 'mNext' | 'v' | 'vNext' | 'g', Matrix>;

interface Update {
  name: string;
  outputs: readonly (keyof State)[];
  call(kernels: Kernels, at: (name: keyof State) => number, n: number): void;
}

const SCALE = 0.75;
const CLIP = 0.5;

function sgd(name: string, clip: number, decay: number, momentum: number, nesterov: 0 | 1): Update {
  return {
    name: `sgd ${name}`,
    outputs: momentum === 0 ? ['wNext'] : ['wNext', 'mNext'],
    call(kernels, at, n) {
      const [velocity, velocityNext] = momentum === 0 ? [0, 0] : [at('m'), at('mNext')];
      const state = [at('w'), at('wNext'), velocity, velocityNext, at('g'), n] as const;
      kernels.sgd(...state, SCALE, clip, 0.1, decay, momentum, nesterov);
    },
  };
}

function adam(name: string, clip: number, weightDecay: number, decay: number): Update {
  return {
    name,
    outputs: ['wNext', 'mNext', 'vNext'],
    call(kernels, at, n) {
      const moments = [at('m'), at('mNext'), at('v'), at('vNext')] as const;
      const betas = [1.3, 0.9, 0.999] as const;
      const state = [at('w'), at('wNext'), ...moments, at('g'), n] as const;
      kernels.adam(...state, SCALE, clip, 0.01, ...betas, 1e-8, weightDecay, decay);
    },
  };
}

const UPDATES: readonly Update[] = [
  sgd('plain', INFINITE, 0, 0, 0),
  sgd('clipped, with weight decay', CLIP, 0.02, 0, 0),
  sgd('with momentum', CLIP, 0.02, 0.9, 0),
  sgd('with Nesterov momentum', CLIP, 0, 0.9, 1),
  adam('adam', INFINITE, 0, 1),
  adam('adam clipped, with weight decay', CLIP, 0.02, 1),
  adam('adamw', INFINITE, 0, 0.998),
  {
    name: 'rmsprop',
    outputs: ['wNext', 'vNext'],
    call(kernels, at, n) {
      const state = [at('w'), at('wNext'), at('v'), at('vNext'), at('g'), n] as const;
      kernels.rmsprop(...state, SCALE, CLIP, 0.01, 0.99, 1e-8, 0.02);
    },
  },
];

function place(bed: Bed, n: number): State {
  const [w, wNext, m, mNext, vNext, g] = Array.from({ length: 6 }, () => bed.vector(n));
  const v = bed.vector(n, (i) => 0.01 + Math.abs(Math.sin(i)));
  return { w, wNext, m, mNext, v, vNext, g };
}

function update(kernels: Kernels, { call }: Update, state: State, first: number, n: number): void {
  call(kernels, (name) => state[name].offset + first, n);
}

for (const backend of KERNEL_BACKENDS) {
  for (const optimizer of UPDATES) {
    const title = (law: string) => `${backend.name}: ${optimizer.name} ${law}`;

    test(
      title('is right at every awkward length and writes nothing but its next generation'),
      (t) => {
        const bed = new Bed(backend);
        for (const n of AWKWARD_SIZES) {
          bed.clear();
          const state = place(bed, n);
          bed.run((kernels) => update(kernels, optimizer, state, 0, n));
          const outputs = optimizer.outputs.map((name) => state[name]);
          bed.check(t, `n ${n}`, outputs, TOLERANCE);
        }
      },
    );

    test(title('takes a first step from nothing to relative precision'), (t) => {
      const bed = new Bed(backend);
      const state = place(bed, 9);
      for (const name of ['w', 'm', 'v'] as const) bed.write(state[name], new Float32Array(9));
      bed.run((kernels) => update(kernels, optimizer, state, 0, 9));
      const outputs = optimizer.outputs.map((name) => state[name]);
      bed.check(t, 'first step', outputs, within(0, 6e-7));
    });

    test(title('gives a parameter the same bits in any cut of the range'), (t) => {
      const bed = new Bed(backend);
      const law = fc.property(fc.integer({ min: 0, max: 41 }), (cut) => {
        bed.clear();
        const state = place(bed, 41);
        const results = () => optimizer.outputs.map((name) => bed.bitsOf(state[name]));
        update(bed.kernels, optimizer, state, 0, 41);
        const atOnce = results();
        for (const name of optimizer.outputs) bed.write(state[name], new Float32Array(41));
        update(bed.kernels, optimizer, state, cut, 41 - cut);
        update(bed.kernels, optimizer, state, 0, cut);
        return results().every((bits, i) => bits.equals(atOnce[i]));
      });
      t.notThrows(() => fc.assert(law, { seed: 5, numRuns: 42 }));
    });

    test(title('takes a NaN gradient to its parameter and to no other'), (t) => {
      const bed = new Bed(backend);
      const state = place(bed, 11);
      bed.write(
        state.g,
        Float32Array.from({ length: 11 }, (_, i) => (i % 5 ? 1 : NOT_A_NUMBER)),
      );
      update(bed.kernels, optimizer, state, 0, 11);
      for (const name of optimizer.outputs) {
        const spoilt = [...bed.numbersOf(state[name])].map(Number.isNaN);
        t.deepEqual(
          spoilt,
          Array.from({ length: 11 }, (_, i) => i % 5 === 0),
        );
      }
    });
  }

  test(`${backend.name}: an infinite gradient is clipped to the limit of its sign`, (t) => {
    const bed = new Bed(backend);
    const w = bed.vector(5, () => 0);
    const next = bed.vector(5);
    const g = bed.vector(5, (i) => [INFINITE, -INFINITE, 1, -1, 0.25][i]);
    bed.kernels.sgd(w.offset, next.offset, 0, 0, g.offset, 5, 1, CLIP, 1, 0, 0, 0);
    t.deepEqual([...bed.numbersOf(next)], [-CLIP, CLIP, -CLIP, CLIP, -0.25]);
  });
}
