/** What a checkpoint says of itself, beside its tensors' values. Pure. */
import { z } from 'zod';

const count = () => z.int().min(0);
const size = () =>
  z
    .int()
    .min(1)
    .max(2 ** 31 - 1);
const loss = () => z.number().nullable();
const hash = () => z.string().regex(/^[0-9a-f]{64}$/);
const files = () => z.array(z.strictObject({ path: z.string(), bytes: count() }));

/** A code point, or a byte of the byte vocabulary. */
const symbol = () => z.int().min(0).max(0x10ffff);
const ascending = (values: number[]) => values.every((v, i) => i === 0 || v > values[i - 1]);

const stateShape = {
  /** Version of Threadloom that wrote it. */
  threadloom: z.string().max(100),
  model: z.strictObject({
    cell: z.enum(['rnn', 'lstm', 'gru']),
    activation: z.enum(['tanh', 'relu']),
    vocabulary: size(),
    embed: size(),
    hidden: size(),
    layers: size(),
    dropout: z.number().min(0).max(1),
  }),
  /** The run's configuration, as in its config.json. */
  config: z.record(z.string(), z.json()),
  tokens: z.enum(['char', 'byte']),
  vocabulary: z.array(symbol()).min(1).refine(ascending, 'must ascend'),
  backend: z.string().max(100),
  /** Of the backend: the kernels that were chosen on the machine. */
  variant: z.string().max(100),
  optimizer: z.string().max(100),
  progress: z.strictObject({
    step: count(),
    epoch: count(),
    /** Next chunk of the epoch. */
    chunk: count(),
    tokens: count(),
    elapsedSeconds: z.number().min(0),
    /** Nats a token; null where there is none yet. */
    lastLoss: loss(),
    bestLoss: loss(),
    lastEvalLoss: loss(),
    /** Step of the last validation; null before the first. */
    evaluatedStep: count().nullable(),
    finished: z.boolean(),
    /** Sizes of the run's logs at this checkpoint: a resumed run cuts them back to it. */
    logBytes: z.strictObject({ steps: count(), timings: count(), evals: count() }),
  }),
  corpus: z.strictObject({
    sha256: hash(),
    trainSymbols: count(),
    valSymbols: count(),
    train: files(),
    val: files(),
  }),
};

type Symbols = { model: { vocabulary: number }; tokens: string; vocabulary: number[] };
const sameSymbols = ({ model, tokens, vocabulary }: Symbols) =>
  model.vocabulary === vocabulary.length && (tokens === 'char' || vocabulary.length === 256);
const SYMBOLS = { message: 'must have as many symbols as the model', path: ['vocabulary'] };

const stateSchema = z.strictObject(stateShape).refine(sameSymbols, SYMBOLS);

const tensorSchema = z.strictObject({
  name: z.string().min(1).max(200),
  type: z.enum(['float32', 'int32', 'float64']),
  shape: z
    .array(
      z
        .int()
        .min(0)
        .max(2 ** 32),
    )
    .max(8),
  /** Of its first byte, counted from the first byte behind the header. */
  offsetBytes: count(),
});

const headerSchema = z
  .strictObject({ ...stateShape, tensors: z.array(tensorSchema) })
  .refine(sameSymbols, SYMBOLS);

/** Everything that is saved with the tensors. */
export type CheckpointState = z.output<typeof stateSchema>;
export type TensorEntry = z.output<typeof tensorSchema>;
export type CheckpointHeader = z.output<typeof headerSchema>;

/**
 * The state of a checkpoint about to be written. Settings that are undefined are left out, as in JSON.
 * Throws an Error naming the field that is wrong: a mistake of this program.
 */
export function checkState(state: unknown): CheckpointState {
  const { config = null, ...others } = state as Record<string, unknown>;
  const plainConfig: unknown = JSON.parse(JSON.stringify(config));
  const result = stateSchema.safeParse({ ...others, config: plainConfig });
  if (!result.success) throw new Error(`The checkpoint's header is wrong: ${reason(result.error)}`);
  return result.data;
}

/** The header of a checkpoint that was read. Throws an Error naming the field that is wrong. */
export function checkHeader(header: unknown): CheckpointHeader {
  const result = headerSchema.safeParse(header);
  if (!result.success) throw new Error(reason(result.error));
  return result.data;
}

function reason(error: z.ZodError): string {
  const { path, message } = error.issues[0];
  return `${path.length > 0 ? path.join('.') : 'header'}: ${message}`.slice(0, 200);
}
