/** Puts chunks of a corpus into the arena. */
import type { CorpusIndex, FillRequest, StreamsRequest } from '../pool/actor-protocol.ts';
import { streamLength } from './streams.ts';
import { Cursor, TextReader } from './text-reader.ts';
import { Vocabulary } from './vocabulary.ts';

/** Ways to cut the text whose places are remembered: training, validation, and some to spare. */
const CUTS = 4;

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
    for (let stream = 0; stream < streams; stream++) {
      reader.read(first + stream * length + start, times + 1, this.#window, cursors[stream]);
      for (let time = 0; time < times; time++) {
        this.#words[ids + time * streams + stream] = this.#window[time];
        this.#words[targets + time * streams + stream] = this.#window[time + 1];
      }
    }
  }

  /** Bytes of text read so far. */
  get bytesRead(): number {
    return this.#readers.train.bytesRead + this.#readers.val.bytesRead;
  }

  close(): void {
    this.#readers.train.close();
    this.#readers.val.close();
  }

  #cursorsOf({ side, first, count, streams }: StreamsRequest): Cursor[] {
    const cut = [side, first, count, streams].join(' ');
    const known = this.#cursors.get(cut);
    if (known) return known;
    const [oldest] = this.#cursors.keys();
    if (this.#cursors.size >= CUTS) this.#cursors.delete(oldest);
    const cursors = Array.from({ length: streams }, () => new Cursor());
    this.#cursors.set(cut, cursors);
    return cursors;
  }
}
