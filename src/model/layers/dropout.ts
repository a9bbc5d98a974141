/**
 * Inverted dropout (Srivastava et al. 2014) on the output of a recurrent layer. The mask is a pure function of seed, step,
 * layer, time, stream and unit, so backward and any cut of the streams draw the same.
 */
import { mixKey } from '../../kernels/mix.ts';
import type { Offset } from '../../memory/table.ts';
import type { Chunk, NetworkContext } from './context.ts';

/** What keys the masks of one step; `firstStream` is the shard's. */
export interface DropoutKey {
  seed: number;
  step: number;
  firstStream: number;
}

/** out (T, R, H) = source ⊙ mask / (1 − rate); out may be source. Its own backward. */
export function applyDropout(
  { spec, kernels }: NetworkContext,
  chunk: Chunk,
  layer: number,
  key: DropoutKey,
  source: Offset,
  out: Offset,
): void {
  const { hidden, dropout } = spec;
  const threshold = Math.round(dropout * 2 ** 32);
  const words = chunk.rows * hidden;
  for (let t = 0; t < chunk.times; t++) {
    kernels.dropout(
      source + t * words,
      out + t * words,
      chunk.rows,
      hidden,
      key.firstStream,
      mixKey(key.seed, key.step, layer, t),
      threshold,
      1 / (1 - dropout),
    );
  }
}
