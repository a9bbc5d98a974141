/** How gradients flow through the layers. */
import type { Instruments } from './definitions.ts';
import type { GradientsRecord, LayerGradients } from './records.ts';

/** Recurrent layers that have series, whatever the model has: the number of series must not grow with it. */
const SHOWN_LAYERS = 16;

export function recordLayers(instruments: Instruments, { step, layers }: GradientsRecord): void {
  instruments.gradientsStep.set(step);
  for (const gradients of shownLayers(layers)) {
    const { layer, gradientNorm, updateRatio, normByLag = [], saturation = [] } = gradients;
    instruments.layerGradientNorm.set({ layer }, gradientNorm);
    instruments.updateRatio.set({ layer }, updateRatio);
    for (const { lag, norm } of normByLag) instruments.normByLag.set({ layer, lag }, norm);
    for (const { gate, share } of saturation) instruments.saturation.set({ layer, gate }, share);
  }
}

/** Embedding, head and recurrent layers: all or, of more, some at even distances with the first and the last. */
function shownLayers(layers: readonly LayerGradients[]): LayerGradients[] {
  const recurrent = layers.filter(({ normByLag }) => normByLag);
  const others = layers.filter(({ normByLag }) => !normByLag);
  if (recurrent.length <= SHOWN_LAYERS) return [...recurrent, ...others];
  const spread = Array.from({ length: SHOWN_LAYERS }, (_, i) =>
    Math.round((i * (recurrent.length - 1)) / (SHOWN_LAYERS - 1)),
  );
  return [...spread.map((layer) => recurrent[layer]), ...others];
}
