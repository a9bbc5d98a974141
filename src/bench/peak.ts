/** What the machine can do at most, measured: multiply-adds in registers and copying of memory, on several threads at once. */
import { planEngine, startEngine } from '../coordinator/engine.ts';
import { chooseKernels } from '../kernels/backend.ts';
import { freeMemoryBytes } from '../machine.ts';
import { measureRate } from '../pool/machine-rate.ts';

export interface Peak {
  workers: number;
  /** Of the fastest kernels that load: the limit of every backend. */
  variant: string;
  /** All threads together. */
  gflops: number;
  /** Bytes read and written, all threads together. */
  copyGigabytesPerSecond: number;
}

const SECONDS = 0.4;
/** The best of some: other work on the machine only ever makes it slower. */
const REPEATS = 3;

/** The least that an engine can be; only its threads are wanted. */
const SMALLEST = {
  cell: 'rnn',
  activation: 'tanh',
  vocabulary: 2,
  embed: 1,
  hidden: 1,
  layers: 1,
  dropout: 0,
} as const;

/** Of two measurements on the same threads, the better of each figure. */
export function higherOf(one: Peak, other: Peak): Peak {
  const { gflops, copyGigabytesPerSecond } = other;
  return {
    ...one,
    gflops: Math.max(one.gflops, gflops),
    copyGigabytesPerSecond: Math.max(one.copyGigabytesPerSecond, copyGigabytesPerSecond),
  };
}

export async function measurePeak(workers: number): Promise<Peak> {
  const kernels = chooseKernels('auto');
  const plan = planEngine(
    { spec: SMALLEST, times: 1, workers, kernels, evaluationStreams: 1 },
    freeMemoryBytes(),
  );
  const { pool } = await startEngine(plan);
  const best = async (what: 'multiply-add' | 'copy') => {
    const rates: number[] = [];
    for (let i = 0; i < REPEATS; i++) rates.push(await measureRate(pool, workers, what, SECONDS));
    return Math.max(...rates);
  };
  try {
    return {
      workers,
      variant: kernels.variant,
      gflops: (await best('multiply-add')) / 1e9,
      copyGigabytesPerSecond: (await best('copy')) / 1e9,
    };
  } finally {
    await pool.close();
  }
}
