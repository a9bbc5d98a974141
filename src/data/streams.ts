/**
 * How a text is cut into streams and chunks: arithmetic only. Pure.
 *
 * With n ids and N streams, stream b holds ids [b·M, (b+1)·M), M = ⌊(n−1)/N⌋, and the target of an id
 * is the next id of the text; chunk c takes [c·T, (c+1)·T) of every stream.
 */
import { expected, InputError } from '../errors.ts';

export interface StreamPlan {
  /** Number of ids n of the text that is cut. */
  readonly count: number;
  /** N */
  readonly streams: number;
  /** M: ids of one stream. */
  readonly length: number;
  /** T: time steps of a chunk. */
  readonly chunk: number;
  /** Chunks of one epoch. */
  readonly chunks: number;
}

/** M: how many ids each of `streams` streams holds of a text of `count` ids. */
export function streamLength(count: number, streams: number): number {
  return Math.floor((count - 1) / streams);
}

/** Splits n ids: the first ⌊n(1−f)⌋ are for training, the rest for validation. */
export function splitText(count: number, valFraction: number): { train: number; val: number } {
  const train = Math.floor(count * (1 - valFraction));
  return { train, val: count - train };
}

/** The streams of training: whole chunks, the rest is dropped. Throws InputError where there is not one. */
export function planTraining(count: number, streams: number, chunk: number): StreamPlan {
  const length = streamLength(count, streams);
  if (length < chunk) throw tooShort(count, streams, chunk);
  return { count, streams, length, chunk, chunks: Math.floor(length / chunk) };
}

/**
 * The streams of an evaluation: at most `streams`, every one of the N·M targets scored, so the last chunk
 * may have fewer than `chunk` time steps. Throws InputError for fewer than 2 ids: none has a target.
 */
export function planEvaluation(count: number, streams: number, chunk: number): StreamPlan {
  if (count < 2) {
    throw new InputError(
      expected(
        'at least 2 symbols of text to validate on',
        count,
        'Give more, with --val-fraction or --val.',
      ),
    );
  }
  const used = Math.min(streams, count - 1);
  const length = streamLength(count, used);
  return { count, streams: used, length, chunk, chunks: Math.ceil(length / chunk) };
}

/** Time steps [start, start + times) of chunk `index`: T of them, or what is left for the last one. */
export function chunkWindow(plan: StreamPlan, index: number): { start: number; times: number } {
  const start = index * plan.chunk;
  return { start, times: Math.min(plan.chunk, plan.length - start) };
}

function tooShort(count: number, streams: number, chunk: number): InputError {
  const batch = streamLength(count, chunk);
  const shorter = streamLength(count, streams);
  const fits = [
    ...(batch >= 1 ? [`--batch ${batch}`] : []),
    ...(shorter >= 1 ? [`--chunk ${shorter}`] : []),
  ];
  if (fits.length === 0 && count >= 2) fits.push(`--batch 1 --chunk ${count - 1}`);
  return new InputError(
    expected(
      `at least ${streams * chunk + 1} symbols of training text for one chunk ` +
        `(--batch ${streams} × --chunk ${chunk}, and one target more)`,
      count,
      fits.length > 0 ? `Use ${fits.join(' or ')}, or more text.` : 'Use more text.',
    ),
  );
}
