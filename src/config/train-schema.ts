/** The schema of a run: every setting with its type, range, default, unit and description. */
import { z } from 'zod';
import { backend, hostNames, MAX_COUNT, path, whole, workerTimeout } from './fields.ts';

/** Settings in the order in which help and README list them. */
export const trainSchema = z.strictObject({
  files: z.array(path()).default([]).meta({
    group: 'Data',
    description: 'text files to train on, joined in this order; - is standard input',
  }),
  val: z.array(path()).default([]).meta({
    group: 'Data',
    description: 'files to validate on, instead of the end of the training text',
  }),
  valFraction: z.number().min(0).max(0.9).optional().meta({
    group: 'Data',
    description: 'share of the text, at its end, kept for validation (0: none)',
  }),
  tokens: z
    .enum(['char', 'byte'])
    .default('char')
    .meta({ group: 'Data', description: 'what a token is: a character (code point) or a byte' }),

  cell: z
    .enum(['rnn', 'lstm', 'gru'])
    .default('lstm')
    .meta({ group: 'Model', description: 'recurrent cell' }),
  activation: z
    .enum(['tanh', 'relu'])
    .optional()
    .meta({ group: 'Model', description: 'activation of --cell rnn' }),
  hidden: whole(1, 65_536)
    .default(256)
    .meta({ group: 'Model', unit: 'units', description: 'hidden width H of each layer' }),
  layers: whole(1, 64).default(1).meta({ group: 'Model', description: 'recurrent layers L' }),
  embed: whole(1, 65_536)
    .default(64)
    .meta({ group: 'Model', unit: 'units', description: 'embedding width E' }),
  dropout: z
    .number()
    .min(0)
    .max(0.95)
    .default(0)
    .meta({ group: 'Model', description: 'dropout rate on the output of every recurrent layer' }),
  init: z.enum(['orthogonal', 'identity', 'uniform']).optional().meta({
    group: 'Model',
    description:
      'recurrent weights: orthogonal or scaled identity (with Glorot-uniform inputs), or all weights U(−1/√H, 1/√H) as PyTorch; identity where the activation is relu',
  }),
  identityScale: z
    .number()
    .min(0)
    .max(10)
    .optional()
    .meta({ group: 'Model', description: 'scale of --init identity' }),
  forgetBias: z.number().min(-100).max(100).optional().meta({
    group: 'Model',
    description: 'initial forget-gate bias of --cell lstm (0 with --init uniform)',
  }),

  batch: whole(1, 1_048_576)
    .default(64)
    .meta({ group: 'Batch', unit: 'streams', description: 'parallel streams N' }),
  chunk: whole(1, MAX_COUNT)
    .default(64)
    .meta({ group: 'Batch', unit: 'time steps', description: 'window T of truncated BPTT' }),
  lanes: whole(1, 1_048_576).optional().meta({
    group: 'Batch',
    description:
      'groups S of streams whose gradients are summed apart; bounds the workers; 8 (or N) for each 64 streams, up to 64',
  }),

  optimizer: z
    .enum(['sgd', 'adam', 'adamw', 'rmsprop'])
    .default('adam')
    .meta({ group: 'Optimization', description: 'optimizer' }),
  lr: z
    .number()
    .positive()
    .max(1000)
    .default(2e-3)
    .meta({ group: 'Optimization', description: 'learning rate (its peak, with a schedule)' }),
  momentum: z
    .number()
    .min(0)
    .max(0.9999)
    .optional()
    .meta({ group: 'Optimization', description: 'momentum of sgd' }),
  nesterov: z
    .boolean()
    .optional()
    .meta({ group: 'Optimization', description: 'Nesterov momentum, with --momentum' }),
  beta1: z
    .number()
    .min(0)
    .max(0.99999)
    .optional()
    .meta({ group: 'Optimization', description: 'decay of the first moment of adam and adamw' }),
  beta2: z
    .number()
    .min(0)
    .max(0.9999999)
    .optional()
    .meta({ group: 'Optimization', description: 'decay of the second moment of adam and adamw' }),
  alpha: z
    .number()
    .min(0)
    .max(0.99999)
    .optional()
    .meta({ group: 'Optimization', description: 'decay of the second moment of rmsprop' }),
  // A float32: rounded to 0 it would make NaN, 0 / 0, of every parameter that never had a gradient.
  epsilon: z
    .number()
    .min(1e-30)
    .max(1)
    .optional()
    .meta({ group: 'Optimization', description: 'added to the root of the second moment' }),
  weightDecay: z
    .number()
    .min(0)
    .max(10)
    .optional()
    .meta({ group: 'Optimization', description: 'L2 penalty; decoupled with adamw' }),
  schedule: z.enum(['constant', 'cosine', 'step']).default('cosine').meta({
    group: 'Optimization',
    description:
      'learning rate after the warm-up: constant, cosine to zero over the run, or by steps',
  }),
  decayEvery: whole(1, MAX_COUNT).optional().meta({
    group: 'Optimization',
    unit: 'steps',
    description: 'steps between two decays of --schedule step',
  }),
  decayFactor: z
    .number()
    .positive()
    .max(1)
    .optional()
    .meta({ group: 'Optimization', description: 'factor of each decay of --schedule step' }),
  warmup: whole(0, MAX_COUNT).default(0).meta({
    group: 'Optimization',
    unit: 'steps',
    description: 'steps over which the learning rate rises linearly',
  }),
  clipNorm: z
    .number()
    .min(0)
    .max(1e9)
    .default(1)
    .meta({ group: 'Optimization', description: 'largest global gradient norm (0: off)' }),
  clipValue: z.number().min(0).max(1e9).default(0).meta({
    group: 'Optimization',
    description: 'largest absolute gradient element, after --clip-norm (0: off)',
  }),

  epochs: whole(1, MAX_COUNT).optional().meta({
    group: 'Length',
    description: 'passes over the text, in all; 10 unless --steps is given',
  }),
  steps: whole(1, MAX_COUNT)
    .optional()
    .meta({ group: 'Length', description: 'optimizer steps, in all' }),
  maxMinutes: z.number().positive().max(1e7).optional().meta({
    group: 'Length',
    unit: 'minutes',
    description: 'end within this time, the schedule run out',
  }),
  evalEvery: whole(0, MAX_COUNT).default(0).meta({
    group: 'Length',
    unit: 'steps',
    description: 'steps between two validations (0: at the end of each epoch)',
  }),
  evalStreams: whole(1, 65_536)
    .default(16)
    .meta({ group: 'Length', unit: 'streams', description: 'parallel streams of a validation' }),

  run: path()
    .optional()
    .meta({ group: 'Run', description: 'folder of the run; a new one below runs/ unless given' }),
  force: z
    .boolean()
    .default(false)
    .meta({ group: 'Run', description: 'replace the run that is in the folder' }),
  from: path()
    .optional()
    .meta({ group: 'Run', description: 'run or checkpoint whose weights to start with' }),
  seed: whole(0, Number.MAX_SAFE_INTEGER)
    .default(1)
    .meta({ group: 'Run', description: 'key of all random numbers' }),
  checkpointEvery: whole(0, MAX_COUNT).default(500).meta({
    group: 'Run',
    unit: 'steps',
    description: 'steps between two checkpoints (0: only at validations and at the end)',
  }),
  sampleEvery: whole(0, MAX_COUNT).default(0).meta({
    group: 'Run',
    unit: 'steps',
    description: 'steps between two texts drawn from the model as it trains (0: off)',
  }),
  sampleLength: whole(1, 100_000).optional().meta({
    group: 'Run',
    unit: 'tokens',
    description: 'length of each text of --sample-every',
  }),
  keep: whole(1, 1_000_000).default(3).meta({
    group: 'Run',
    unit: 'checkpoints',
    description: 'newest checkpoints to keep, beside the best',
  }),

  workers: whole(1, 4096).optional().meta({
    group: 'Machine',
    unit: 'threads',
    description: 'worker threads W; all cores this process may use',
  }),
  workerTimeout: workerTimeout(),
  backend: backend().meta({
    group: 'Machine',
    description: 'kernels; auto takes the fastest that loads',
  }),

  metrics: z
    .boolean()
    .default(true)
    .meta({ group: 'Metrics', description: 'serve Prometheus metrics over HTTP' }),
  metricsPort: whole(0, 65_535)
    .optional()
    .meta({ group: 'Metrics', description: 'port (0: any free one); 9464, or the next free one' }),
  metricsHost: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .meta({ group: 'Metrics', description: 'address to listen on' }),
  metricsAllowedHosts: hostNames().optional().meta({
    group: 'Metrics',
    description:
      'more values of the header Host to answer, for proxies and containers; else only those of this machine',
    values: 'host names or addresses without ports, parted by commas',
  }),
  gradientsEvery: whole(0, MAX_COUNT).default(100).meta({
    group: 'Metrics',
    unit: 'steps',
    description: 'steps between two looks at how gradients flow through the layers (0: never)',
  }),
  metricsLinger: z.number().min(0).max(86_400).default(0).meta({
    group: 'Metrics',
    unit: 'seconds',
    description: 'keep the last values up for a scrape after the run',
  }),
});
