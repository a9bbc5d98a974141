/** What the gradient by lag says, in words. Pure. */
import type { GradientsRecord, LayerGradients } from '../../metrics/records.ts';
import { formatNumber } from '../../numbers.ts';

export type LagNorms = NonNullable<LayerGradients['normByLag']>;

/** `0` → "layer 0", `head` → "head" */
export function layerName(layer: string): string {
  return /^\d+$/.test(layer) ? `layer ${layer}` : layer;
}

/** The lags of each bucket: "0", "1", "2–3", "4–7" … */
export function lagLabels(norms: LagNorms): string[] {
  return norms.map(({ lag }, i) => {
    const last = i + 1 < norms.length ? norms[i + 1].lag - 1 : lag === 0 ? 0 : lag * 2 - 1;
    return last <= lag ? String(lag) : `${lag}–${last}`;
  });
}

/** One sentence a recurrent layer: how much of the gradient is left furthest back. */
export function lagSentences(record: GradientsRecord): string[] {
  return record.layers.flatMap(({ layer, normByLag }) => {
    const [here, furthest] = [normByLag?.[0], normByLag?.at(-1)];
    if (!here || !furthest || here === furthest || !(here.norm > 0)) return [];
    const ratio = furthest.norm / here.norm;
    return [
      `${layerName(layer)}: the gradient ${furthest.lag} steps back is ${formatNumber(ratio)} of that of the last step${verdict(ratio)}.`,
    ];
  });
}

function verdict(ratio: number): string {
  if (!Number.isFinite(ratio)) return ', it is not finite';
  if (ratio < 1e-3) return '; what happened that long ago hardly teaches it anything';
  return ratio > 10 ? '; it grows on its way back' : '';
}
