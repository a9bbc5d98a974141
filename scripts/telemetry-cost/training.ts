/**
 * One half of a pair, in a process of its own: what one run has started must not cost another. Takes a `Half` as JSON; tells
 * on standard error where its metrics are and on standard output how long its steps took.
 */
import type { Settings } from '../../src/config/config.ts';
import { train } from '../../src/recipes/train.ts';

export interface Half {
  settings: Settings;
  /** Steps before the clock starts, and steps that are timed. */
  warmUp: number;
  steps: number;
}

const { settings, warmUp, steps }: Half = JSON.parse(process.argv[2]);
let began = 0;
let ended = 0;
await train(
  { ...settings, steps: warmUp + steps },
  {
    onPlan: ({ metricsUrl }) => process.stderr.write(`metrics ${metricsUrl}\n`),
    onStep: ({ step }) => {
      if (step === warmUp) began = performance.now();
      if (step === warmUp + steps) ended = performance.now();
    },
  },
);
process.stdout.write(`${(ended - began) / 1000}\n`);
