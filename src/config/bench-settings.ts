/** The settings of `bench`. */
import { z } from 'zod';
import { backend, whole } from './fields.ts';
import { SettingTable } from './setting-table.ts';

const seconds = (description = 'time a measurement takes') =>
  z.number().positive().max(3600).meta({ unit: 'seconds', description });

/** Of training steps. */
const trainingSeconds = () => seconds('time a measurement takes, after a fifth of it to warm up');

/** A list of whole numbers: `1,2,4`. */
const counts = () => z.string().regex(/^[1-9]\d{0,3}(,[1-9]\d{0,3})*$/);

const shapeFields = {
  cell: z.enum(['rnn', 'lstm', 'gru']).optional().meta({ description: 'recurrent cell' }),
  hidden: whole(1, 65_536).optional().meta({ unit: 'units', description: 'hidden width H' }),
  layers: whole(1, 64).optional().meta({ description: 'recurrent layers L' }),
  embed: whole(1, 65_536)
    .optional()
    .meta({ unit: 'units', description: 'embedding width E (H unless given)' }),
  dropout: z.number().min(0).max(0.95).optional().meta({ description: 'dropout rate' }),
  batch: whole(1, 1_048_576)
    .optional()
    .meta({ unit: 'streams', description: 'parallel streams N' }),
  chunk: whole(1, 1_000_000).optional().meta({ unit: 'time steps', description: 'window T' }),
  vocab: whole(2, 10_000_000).optional().meta({ description: 'vocabulary V' }),
};

const trainSchema = z.strictObject({
  ...shapeFields,
  lanes: whole(1, 1_048_576)
    .optional()
    .meta({ description: 'lanes S; 8 (or N) for each 64 streams, up to 64' }),
  workers: whole(1, 4096)
    .optional()
    .meta({ unit: 'threads', description: 'worker threads; all cores this process may use' }),
  backend: backend().meta({ description: 'kernels; auto takes the fastest that loads' }),
  seconds: trainingSeconds().default(5),
});
export type BenchTrainSettings = z.input<typeof trainSchema>;
export const benchTrainSettings = new SettingTable(trainSchema);

const scalingSchema = z.strictObject({
  ...shapeFields,
  workers: counts().optional().meta({
    unit: 'threads',
    description:
      'worker counts to measure, such as 1,2,4; powers of two up to all cores unless given',
  }),
  backend: backend().meta({ description: 'kernels; auto takes the fastest that loads' }),
  seconds: trainingSeconds().default(4),
  svg: z.string().min(1).optional().meta({ description: 'file to draw the plot into' }),
});
export type BenchScalingSettings = z.input<typeof scalingSchema>;
export const benchScalingSettings = new SettingTable(scalingSchema);

const kernelsSchema = z.strictObject({
  hidden: whole(1, 4096).default(256).meta({ unit: 'units', description: 'hidden width H' }),
  batch: whole(1, 4096).default(32).meta({ unit: 'streams', description: 'rows R of a shard' }),
  chunk: whole(1, 4096).default(64).meta({ unit: 'time steps', description: 'window T' }),
  vocab: whole(2, 100_000).default(65).meta({ description: 'vocabulary V' }),
  backend: z
    .enum(['all', 'native', 'wasm', 'reference'])
    .default('all')
    .meta({ description: 'kernels; all are those that load, without the slow reference' }),
  seconds: seconds().default(0.2),
});
export type BenchKernelsSettings = z.input<typeof kernelsSchema>;
export const benchKernelsSettings = new SettingTable(kernelsSchema);
