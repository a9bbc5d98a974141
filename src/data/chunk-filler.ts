/** Puts chunks of a corpus into the arena. */
import type { CorpusIndex, FillRequest, StreamsRequest } from '../pool/actor-protocol.ts';
import { streamLength } from './streams.ts';
import { BLOCK_BYTES, Cursor, MAX_SYMBOL_BYTES, TextReader } from './text-reader.ts';
import { Vocabulary } from './vocabulary.ts';

/** Ways to cut the text whose places are remembered: training, validation, and some to spare. */
const CUTS = 4;
/** What is read ahead for all streams of a cut. */
const AHEAD_BYTES = 2 ** 19;

export class ChunkFiller {
  readonly #readers: Record<StreamsRequest['side'], TextReader>;
  readonly #words: Int32Array;
  /** A cursor per stream, by the cut they belong to. */
  readonly #cursors = new Map<string, Cursor[]>();
  #window = new Int32Array(0);

  /** `memory`: the arena that requests name offsets of. */
  constructor(index: CorpusIndex, memory: WebAssembly.Memory) {
    const vocabulary = new Vocabulary(index.tokens, index.vocabulary);
    this.#readers = {
      train: new TextReader(index.train, vocabulary),
      val: new TextReader(index.val, vocabulary),
    };
    this.#words = new Int32Array(memory.buffer);
  }

  /**
   * Writes ids and targets, (times, streams) each. Throws TrainingError where a file changed since the
   * scan; it may then be asked again.
   */
  fill(request: FillRequest): void {
    const { first, count, streams, start, times, ids, targets } = request;
    const length = streamLength(count, streams);
    if (!(start >= 0 && times >= 1 && start + times <= length)) {
      throw new RangeError(`No time steps ${start} to ${start + times} in streams of ${length}`);
    }
    if (this.#window.length < times + 1) this.#window = new Int32Array(times + 1);
    const reader = this.#readers[request.side];
    const cursors = this.#cursorsOf(request);
    const left = length - start + 1;
    for (let stream = 0; stream < streams; stream++) {
      const position = first + stream * length + start;
      reader.read(position, times + 1, this.#window, cursors[stream], left);
      for (let time = 0; time < times; time++) {
        this.#words[ids + time * streams + stream] = this.#window[time];
        this.#words[targets + time * streams + stream] = this.#window[time + 1];
      }
    }
    reader.check(cursors);
  }

  /** Bytes of text read so far. */
  get bytesRead(): number {
    return this.#readers.train.bytesRead + this.#readers.val.bytesRead;
  }

  close(): void {
    this.#readers.train.close();
    this.#readers.val.close();
  }

  #cursorsOf({ side, first, count, streams, times }: FillRequest): Cursor[] {
    const cut = [side, first, count, streams].join(' ');
    const known = this.#cursors.get(cut);
    if (known) return known;
    const [oldest] = this.#cursors.keys();
    if (this.#cursors.size >= CUTS) this.#cursors.delete(oldest);
    // At least a window, so that each takes one read.
    const windowBytes = MAX_SYMBOL_BYTES * (times + 1);
    const roomBytes = Math.max(Math.floor(AHEAD_BYTES / streams), windowBytes);
    const room = Math.min(roomBytes, BLOCK_BYTES);
    const cursors = Array.from({ length: streams }, () => new Cursor(room));
    this.#cursors.set(cut, cursors);
    return cursors;
  }
}
