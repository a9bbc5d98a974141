/** What the loader thread does. */
import type { CorpusIndex, FillRequest, LoaderApi, ScanRequest } from '../pool/actor-protocol.ts';
import { ChunkFiller } from './chunk-filler.ts';
import { scanCorpus } from './scan.ts';

export class Loader implements LoaderApi {
  #filler?: ChunkFiller;

  scan(request: ScanRequest, pulse?: Int32Array): CorpusIndex {
    return scanCorpus(request, pulse);
  }

  use(index: CorpusIndex, memory: WebAssembly.Memory): void {
    this.#filler?.close();
    this.#filler = new ChunkFiller(index, memory);
  }

  fill(request: FillRequest): number {
    if (!this.#filler) throw new Error('The loader was asked to fill before it was given a corpus');
    const before = this.#filler.bytesRead;
    this.#filler.fill(request);
    return this.#filler.bytesRead - before;
  }
}
