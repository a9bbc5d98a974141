/** What a checkpoint says of itself, beside its tensors' values. Pure. */
import { z } from 'zod';

export const MAX_TENSORS = 4096;

const count = () => z.int().min(0);
/** As large as the settings of a run allow. */
const size = (maximum: number) => z.int().min(1).max(maximum);
/** Steps whose checkpoint's name can be read again. */
const steps = () => count().max(1e15 - 1);
const loss = () => z.number().nullable();
const hash = () => z.string().regex(/^[0-9a-f]{64}$/);

/** An array whose length is looked at first: a million wrong items would be a million complaints. */
function list<Item extends z.ZodType>(item: Item, maximum: number) {
  const isShort = (value: unknown) => Array.isArray(value) && value.length <= maximum;
  return z
    .custom<z.input<Item>[]>(isShort, `must be a list of at most ${maximum}`)
    .pipe(z.array(item));
}
const files = () => list(z.strictObject({ path: z.string(), bytes: count() }), 100_000);

/** Ascending code points, or the bytes of the byte vocabulary. Only the first wrong one counts, as above. */
const symbols = () => z.custom<number[]>(areSymbols, 'must be code points that ascend');
function areSymbols(value: unknown): boolean {
  const isSymbol = (symbol: unknown, i: number, all: unknown[]) =>
    Number.isInteger(symbol) &&
    Number(symbol) >= 0 &&
    Number(symbol) <= 0x10ffff &&
    (i === 0 || Number(symbol) > Number(all[i - 1]));
  return Array.isArray(value) && value.length > 0 && value.every(isSymbol);
}

/** Values that JSON has: nothing else is written, and what is read is known to be plain. */
const plain = () => z.custom<z.core.util.JSONType>();

const stateShape = {
  /** Version of Threadloom that wrote it. */
  threadloom: z.string().max(100),
  model: z.strictObject({
    cell: z.enum(['rnn', 'lstm', 'gru']),
    activation: z.enum(['tanh', 'relu']),
    vocabulary: size(0x110000),
    embed: size(65_536),
    hidden: size(65_536),
    layers: size(64),
    dropout: z.number().min(0).max(0.95),
  }),
  /** The run's configuration, as in its config.json. */
  config: z.record(z.string(), plain()),
  tokens: z.enum(['char', 'byte']),
  vocabulary: symbols(),
  backend: z.string().max(100),
  /** Of the backend: the kernels that were chosen on the machine. */
  variant: z.string().max(100),
  optimizer: z.string().max(100),
  progress: z.strictObject({
    step: steps(),
    epoch: count(),
    /** Next chunk of the epoch. */
    chunk: count(),
    tokens: count(),
    elapsedSeconds: z.number().min(0),
    /** Nats a token; null where there is none yet. */
    lastLoss: loss(),
    bestLoss: loss(),
    /** Of the best checkpoint; absent where it is `bestLoss`, which is only otherwise where that of it could not be written. */
    savedBestLoss: loss().optional(),
    lastEvalLoss: loss(),
    /** Step of the last validation; null before the first. */
    evaluatedStep: count().nullable(),
    /** Step of the last text that was drawn; null before the first. */
    sampledStep: count().nullable().default(null),
    finished: z.boolean(),
    /** Sizes of the run's logs at this checkpoint: a resumed run cuts them back to it. */
    logBytes: z.strictObject({
      steps: count(),
      timings: count(),
      evals: count(),
      gradients: count().default(0),
      samples: count().default(0),
    }),
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
  .strictObject({ ...stateShape, tensors: list(tensorSchema, MAX_TENSORS) })
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
  const result = stateSchema.safeParse({ config: plainConfig, ...others });
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
