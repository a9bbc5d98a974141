/** What the gradient by lag says, in words. Pure. */
import { formatNumber } from '../../numbers.ts';
import type { GradientsPoint, LayerPoint, RunDescription } from '../protocol.ts';

export type LagNorms = NonNullable<LayerPoint['normByLag']>;

/** `0` → "layer 0", `head` → "head" */
export function layerName(layer: string): string {
  return /^\d+$/.test(layer) ? `layer ${layer}` : layer;
}

/** Lags of a chunk: as many as it has time steps. */
export function lagCount({ settings }: RunDescription): number {
  const chunk = settings.find(({ flag }) => flag === '--chunk')?.value;
  return Number(chunk ?? Number.POSITIVE_INFINITY);
}

/** The lags of each bucket: "0", "1", "2–3", "4–7" … "32–49"; the last one ends with the chunk of `count` lags. */
export function lagLabels(norms: LagNorms, count: number): string[] {
  return norms.map(({ lag }) => {
    const last = Math.min(Math.max(lag, lag * 2 - 1), count - 1);
    return last <= lag ? String(lag) : `${lag}–${last}`;
  });
}

export function normText(norm: number | null): string {
  return norm === null ? 'not finite' : formatNumber(norm);
}

/** One sentence a recurrent layer: how much of the gradient is left furthest back. */
export function lagSentences(point: GradientsPoint): string[] {
  return point.layers.flatMap(({ layer, normByLag }) => {
    const [here, furthest] = [normByLag?.[0], normByLag?.at(-1)];
    if (!here || !furthest || here === furthest || here.norm === 0) return [];
    const place = `${layerName(layer)}: the gradient`;
    if (here.norm === null) return [`${place} of the last step is not finite.`];
    if (furthest.norm === null) return [`${place} ${furthest.lag} steps back is not finite.`];
    const ratio = furthest.norm / here.norm;
    return [
      `${place} ${furthest.lag} steps back is ${formatNumber(ratio)} of that of the last step${verdict(ratio)}.`,
    ];
  });
}

function verdict(ratio: number): string {
  if (ratio < 1e-3) return '; what happened that long ago hardly teaches it anything';
  return ratio > 10 ? '; it grows on its way back' : '';
}
