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
  /** Of the processor, while it stood still before. */
  stillSeconds: number;
}

export interface Trainee {
  settings: Settings;
  /** Of a window. */
  steps: number;
}

const { settings, steps }: Trainee = JSON.parse(process.argv[2]);
let began = 0;
let stillSeconds = 0;
let usage = process.cpuUsage();
// A token drawn after each window keeps the pool from beginning with the next one before its turn.
const windows: Settings = { sampleEvery: steps, sampleLength: 1 };
await train(
  { ...settings, ...windows },
  {
    onPlan: ({ metricsUrl }) => {
      process.stderr.write(metricsUrl ? `metrics ${metricsUrl}\n` : 'metrics\n');
      standStill();
    },
    onStep: ({ step }) => {
      if (step % steps !== 0) return;
      const turn: Turn = {
        seconds: (performance.now() - began) / 1000,
        processorSeconds: takeProcessorSeconds(),
        stillSeconds,
      };
      process.stdout.write(`${JSON.stringify(turn)}\n`);
      standStill();
    },
  },
);

/** Until the next line comes. Nothing of this process is to run meanwhile. */
function standStill(): void {
  takeProcessorSeconds();
  if (readSync(0, Buffer.alloc(8)) === 0) process.exit();
  stillSeconds = takeProcessorSeconds();
  began = performance.now();
}

/** Since it was asked for the last time. */
function takeProcessorSeconds(): number {
  const { user, system } = process.cpuUsage(usage);
  usage = process.cpuUsage();
  return (user + system) / 1e6;
}
