/** The settings of what is done with a trained model: sampling and evaluation. */
import { z } from 'zod';
import { backend, MAX_COUNT, whole, workerTimeout } from './fields.ts';
import { SettingTable } from './setting-table.ts';

/** Settings of `sample`. */
const sampleSchema = z.strictObject({
  length: whole(1, 100_000_000)
    .default(500)
    .meta({ unit: 'tokens', description: 'tokens to draw' }),
  prompt: z.string().default('').meta({ description: 'text to go on from' }),
  temperature: z.number().min(0).max(100).default(0.8).meta({
    description: 'divides the logits: below 1 surer, above 1 wilder, 0 the likeliest token',
  }),
  topK: whole(0, MAX_COUNT)
    .default(0)
    .meta({ description: 'draw from the k likeliest tokens only (0: off)' }),
  topP: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .meta({ description: 'draw from the likeliest tokens that make up this probability (1: off)' }),
  count: whole(1, 4096).default(1).meta({ description: 'texts to draw, side by side' }),
  seed: whole(0, Number.MAX_SAFE_INTEGER)
    .default(1)
    .meta({ description: 'key of the random numbers' }),
  backend: backend().meta({ description: 'kernels; auto takes the fastest that loads' }),
});
export type SampleSettings = z.input<typeof sampleSchema>;
export const sampleSettings = new SettingTable(sampleSchema);

/** Settings of `evaluate`. */
const evaluateSchema = z.strictObject({
  evalStreams: whole(1, 65_536)
    .default(16)
    .meta({ unit: 'streams', description: 'parallel streams, each from zero state' }),
  chunk: whole(1, MAX_COUNT).default(64).meta({
    unit: 'time steps',
    description: 'time steps computed at once; does not change the result',
  }),
  workers: whole(1, 4096)
    .optional()
    .meta({ unit: 'threads', description: 'worker threads; all cores this process may use' }),
  workerTimeout: workerTimeout(),
  backend: backend().meta({ description: 'kernels; auto takes the fastest that loads' }),
});
export type EvaluateSettings = z.input<typeof evaluateSchema>;
export const evaluateSettings = new SettingTable(evaluateSchema);
