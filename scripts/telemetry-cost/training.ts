/**
 * One of the two trainings that are compared, in a process of its own: what one has started must not cost the other. Takes a
 * `Trainee` as JSON. Tells on standard error where its metrics are; for each line on standard input it trains a window of
 * steps, tells on standard output what they took (a `Turn` as JSON), and stands still.
 */
import { readSync } from 'node:fs';
import type { Settings } from '../../src/config/config.ts';
import { train } from '../../src/recipes/train.ts';

/** Seconds that a window took, by the clock and of the processor. */
export interface Turn {
  seconds: number;
  processorSeconds: number;
}

export interface Trainee {
  settings: Settings;
  /** Of a window. */
  steps: number;
}

const { settings, steps }: Trainee = JSON.parse(process.argv[2]);
let began = 0;
let usage = process.cpuUsage();
await train(settings, {
  onPlan: ({ metricsUrl }) => {
    process.stderr.write(metricsUrl ? `metrics ${metricsUrl}\n` : 'metrics\n');
    standStill();
  },
  onStep: ({ step }) => {
    if (step % steps !== 0) return;
    const { user, system } = process.cpuUsage(usage);
    const turn: Turn = {
      seconds: (performance.now() - began) / 1000,
      processorSeconds: (user + system) / 1e6,
    };
    process.stdout.write(`${JSON.stringify(turn)}\n`);
    standStill();
  },
});

/** Until the next line comes. Nothing of this process runs meanwhile. */
function standStill(): void {
  if (readSync(0, Buffer.alloc(8)) === 0) process.exit();
  began = performance.now();
  usage = process.cpuUsage();
}
