/** What the loader thread does. */
import { toErrorRecord } from '../errors.ts';
import type {
  CorpusIndex,
  FillOutcome,
  FillRequest,
  LoaderApi,
  ScanRequest,
} from '../pool/actor-protocol.ts';
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

  fill(requests: readonly FillRequest[]): FillOutcome[] {
    const filler = this.#filler;
    if (!filler) throw new Error('The loader was asked to fill before it was given a corpus');
    return requests.map((request) => outcomeOf(filler, request));
  }
}

function outcomeOf(filler: ChunkFiller, request: FillRequest): FillOutcome {
  const before = filler.bytesRead;
  try {
    filler.fill(request);
    return { bytes: filler.bytesRead - before };
  } catch (error) {
    return { error: toErrorRecord(error) };
  }
}
