/** Drawing of text from a model, a token at a time. Pure. */
import { mixKey, uniform } from '../kernels/mix.ts';
import type { SampleRegions, ShardRegions } from '../memory/layout.ts';
import type { Offset } from '../memory/table.ts';
import { type ChoiceSettings, chooseToken } from './choice.ts';
import type { Network } from './network.ts';

/** Keeps the keys of what is drawn in training apart from those of parameters, dropout and later sampling. */
const KEY_TAG = 0x44524157;
/** As `threadloom sample` draws unless told otherwise. */
const CHOICE: ChoiceSettings = { temperature: 0.8, topK: 0, topP: 1 };

export interface DrawRequest {
  parameters: Offset;
  /** Token to begin after. */
  first: number;
  length: number;
  seed: number;
  step: number;
}

/** Draws in the workspace of `shard`, whose network it is; writes nothing else but `regions`. */
export function drawTokens(
  network: Network,
  shard: ShardRegions,
  { slot, carries }: SampleRegions,
  { reals, ints }: { reals: Float32Array; ints: Int32Array },
  vocabulary: number,
  { parameters, first, length, seed, step }: DrawRequest,
): number[] {
  const logits = reals.subarray(shard.logits, shard.logits + vocabulary);
  const key = mixKey(seed, KEY_TAG, step);
  const ids: number[] = [];
  for (let token = first; ids.length < length; ) {
    const drawn = ids.length;
    ints[slot.ids] = token;
    network.predict({ parameters, times: 1, rows: 1, headTimes: 1 }, slot, {
      streams: 1,
      firstStream: 0,
      carryIn: drawn === 0 ? 0 : carries[drawn % 2],
      carryOut: carries[(drawn + 1) % 2],
    });
    token = chooseToken(logits, CHOICE, uniform(key, drawn));
    ids.push(token);
  }
  return ids;
}
