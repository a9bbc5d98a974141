/** What crosses threads in calls of the actors. Types only. */
import type { LockClaim } from '../checkpoint/run-lock.ts';
import type { ErrorRecord } from '../errors.ts';
import type { ElementType, Offset } from '../memory/table.ts';

// ---------------------------------------------------------------- loader (comlink actor)

export type TokenKind = 'char' | 'byte';

export interface ScanRequest {
  trainPaths: string[];
  /** Empty: validation text is the end of the training text. */
  valPaths: string[];
  tokens: TokenKind;
  /** Code points of a vocabulary to keep (resume, eval, --from): text outside it is refused. */
  vocabulary?: number[];
}

/** What one pass over a file found: enough to read any window of it in constant memory. */
export interface FileIndex {
  path: string;
  bytes: number;
  /** Time of the last change, milliseconds since the epoch: a file that changed is not read on. */
  modifiedMs: number;
  symbols: number;
  /** Byte offset of every `stride`-th symbol, at most 65,536 of them. */
  stride: number;
  offsets: Float64Array;
}

/** What one pass over all files found. Plain data: a restarted loader goes on with it. */
export interface CorpusIndex {
  tokens: TokenKind;
  train: FileIndex[];
  val: FileIndex[];
  trainSymbols: number;
  valSymbols: number;
  bytes: number;
  /** Code points in ascending order, validation text included; for bytes 0..255. */
  vocabulary: number[];
  /** SHA-256 over the contents of all files: training, then validation. */
  sha256: string;
}

/** `count` ids of one side of the corpus, cut into streams (src/data/streams.ts). */
export interface StreamsRequest {
  side: 'train' | 'val';
  /** First id, and number of ids, of the text that is cut. */
  first: number;
  count: number;
  streams: number;
}

/** Ids and targets of time steps [start, start + times) of every stream, to the arena, (times, streams) each. */
export interface FillRequest extends StreamsRequest {
  start: number;
  times: number;
  ids: Offset;
  targets: Offset;
}

/** What came of a chunk: the bytes of text that were read for it, or why it is not filled. */
export type FillOutcome = { bytes: number } | { error: ErrorRecord };

export interface LoaderApi {
  /** Reads all files once: counts, checks, hashes, finds the vocabulary. Throws InputError. Counts `pulse` up. */
  scan(request: ScanRequest, pulse?: Int32Array): CorpusIndex;
  /** Must come before the first `fill`. */
  use(index: CorpusIndex, memory: WebAssembly.Memory): void;
  /** Fills all that can be, in order. */
  fill(requests: readonly FillRequest[]): FillOutcome[];
}

// ---------------------------------------------------------------- checkpoint writer (comlink actor)

export interface TensorSource {
  name: string;
  type: ElementType;
  shape: number[];
  /** First word in the snapshot region of the arena. */
  offset: Offset;
}

export interface WriteCheckpointRequest {
  /** Folder of the checkpoints and the step the checkpoint is of. */
  folder: string;
  step: number;
  /** Everything but tensors; checked by the schema of the checkpoint's header. */
  header: unknown;
  tensors: TensorSource[];
  /** Newest checkpoints to keep. */
  keep: number;
  /** Becomes the best checkpoint too. */
  best: boolean;
  /** Descriptors of open files that go to the disk before anything of the checkpoint does. */
  logs?: number[];
  /** Of the run's folder: what is written there is named after it until it is complete. */
  lock: LockClaim;
}

export interface WriteCheckpointResult {
  path: string;
  bytes: number;
  seconds: number;
}

export interface CheckpointWriterApi {
  /** Counts `pulse` up as it gets on. */
  write(request: WriteCheckpointRequest, pulse?: Int32Array): WriteCheckpointResult;
}

export interface CheckpointThreadData {
  memory: WebAssembly.Memory;
}
