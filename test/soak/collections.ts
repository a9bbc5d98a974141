/** The share of time that each thread of a training process spends collecting garbage, as V8's own trace tells it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const TRAINING = fileURLToPath(new URL('./traced-training.js', import.meta.url));

/** What the traced process prints around the steps that count, with the seconds they took behind the second. */
export const FIRST_MARK = 'soak: the steps begin';
export const LAST_MARK = 'soak: the steps took';

export interface CollectionShare {
  /** Seconds of the steps that were watched. */
  seconds: number;
  /** Of each thread that collected at all, the main thread first. */
  threads: { collections: number; share: number }[];
}

/** Runs steps of an ordinary model in a process of their own and reads V8's trace of all its threads. */
export async function measureCollections(): Promise<CollectionShare> {
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const child = spawn(process.execPath, ['--trace-gc', TRAINING], { stdio: [...stdio] });
  const [trace] = await Promise.all([text(child.stdout!), once(child, 'close')]);
  return readTrace(trace);
}

/** `[4711:0x55d0c8a3f000] 812 ms: Scavenge 5.2 (6.1) -> 4.9 (7.1) MB, 0.52 / 0.00 ms …`: thread, and pause in milliseconds. */
const COLLECTION = /^\[\d+:(0x[0-9a-f]+)[^\]]*\].* MB, (?:pooled: [\d.]+ MB, )?([\d.]+) \/ /;

/** What a thread that only computes, loads or writes may spend collecting: it reuses its memory. */
export const MOST_COLLECTING = 0.005;

/** The threads beside the main one that collect for longer. */
export function overcollecting({ threads }: CollectionShare): CollectionShare['threads'] {
  return threads.slice(1).filter(({ share }) => !(share < MOST_COLLECTING));
}

/** Throws where the trace has no marks, or no collection of the main thread before them. */
export function readTrace(trace: string): CollectionShare {
  const [before, rest = ''] = trace.split(FIRST_MARK);
  const [watched, after] = rest.split(LAST_MARK);
  if (after === undefined) throw new Error(`Expected a traced training, got: ${trace.slice(-500)}`);
  const seconds = Number.parseFloat(after);
  // The main thread is the first to collect: it loads the program.
  const main = before.split('\n').flatMap((line) => COLLECTION.exec(line)?.[1] ?? [])[0];
  if (main === undefined) throw new Error(`Expected a trace of V8, got: ${before.slice(-500)}`);
  const pauses = new Map<string, number[]>([[main, []]]);
  for (const line of watched.split('\n')) {
    const [, thread, milliseconds] = COLLECTION.exec(line) ?? [];
    if (thread === undefined) continue;
    pauses.set(thread, [...(pauses.get(thread) ?? []), Number(milliseconds)]);
  }
  const threads = [...pauses.values()].map((list) => ({
    collections: list.length,
    share: list.reduce((sum, pause) => sum + pause, 0) / 1000 / seconds,
  }));
  return { seconds, threads };
}
