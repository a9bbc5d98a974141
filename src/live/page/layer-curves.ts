/** The parts with curves of layers: gate saturation and update ratios. */
import { formatCount, formatNumber, formatShare } from '../../numbers.ts';
import type { Snapshot } from '../protocol.ts';
import { layerName, normText } from '../view/lags.ts';
import { missingGradients } from '../view/missing.ts';
import { choice } from './controls.ts';
import { CurvesPart } from './curves-part.ts';
import type { Part } from './part.ts';

/** Custom properties of the colours that curves take in turn. */
const COLOURS = Array.from({ length: 10 }, (_, i) => `--c${i + 1}`);

export function saturationPart(): Part {
  const layer = choice('saturation-layer', 'layer', () => part.redraw());
  const part: CurvesPart = new CurvesPart({
    id: 'saturation',
    title: 'Gate saturation',
    unit: 'share of activations at a bound',
    topics: ['gradients', 'run', 'kind'],
    controls: [layer.element],
    fromZero: true,
    formatAxis: formatShare,
    curves: (now) =>
      gatesOf(now, layer.offer(gatedLayers(now), layerName)).map((gate, i) => ({
        name: gate,
        colour: COLOURS[i % COLOURS.length],
        format: formatShare,
      })),
    read: (now) => {
      const chosen = layer.offer(gatedLayers(now), layerName);
      if (chosen === undefined) return missingGradients(now);
      const gates = gatesOf(now, chosen);
      const shares = now.gradients.map(
        ({ layers }) => layers.find((candidate) => candidate.layer === chosen)?.saturation ?? [],
      );
      const last = shares.at(-1) ?? [];
      const most = last.reduce((a, b) => (b.share > a.share ? b : a), last[0]);
      return {
        steps: now.gradients.map(({ step }) => step),
        values: gates.map((gate) =>
          shares.map((found) => found.find((candidate) => candidate.gate === gate)?.share),
        ),
        summary: `${layerName(chosen)}: ${formatShare(most.share)} of gate ${most.gate}'s activations are within 0.05 of a bound, the most of all gates. A gate at its bound passes no gradient.`,
      };
    },
  });
  return part;
}

function gatedLayers({ gradients }: Readonly<Snapshot>): string[] {
  const layers = gradients.at(-1)?.layers ?? [];
  return layers.filter(({ saturation }) => saturation?.length).map(({ layer }) => layer);
}

function gatesOf({ gradients }: Readonly<Snapshot>, layer: string | undefined): string[] {
  const found = gradients.at(-1)?.layers.find((candidate) => candidate.layer === layer);
  return (found?.saturation ?? []).map(({ gate }) => gate);
}

export function updateRatioPart(): Part {
  return new CurvesPart({
    id: 'updates',
    title: 'Update ratio',
    unit: '‖update‖ / ‖weights‖',
    topics: ['gradients', 'run', 'kind'],
    curves: (now) =>
      layersOf(now).map((layer, i) => ({
        name: layerName(layer),
        colour: COLOURS[i % COLOURS.length],
        format: formatNumber,
      })),
    read: (now) => {
      const layers = layersOf(now);
      if (layers.length === 0) return missingGradients(now);
      const ratio = (layer: string) =>
        now.gradients.map(({ layers: found }) => {
          const value = found.find((candidate) => candidate.layer === layer)?.updateRatio;
          // null breaks the curve; what is 0 has no logarithm.
          return value === null || (value !== undefined && value > 0) ? value : undefined;
        });
      const latest = now.gradients.at(-1);
      const told = latest?.layers.map(
        (found) => `${layerName(found.layer)} ${normText(found.updateRatio)}`,
      );
      return {
        steps: now.gradients.map(({ step }) => step),
        log: true,
        values: layers.map(ratio),
        summary: `At step ${formatCount(latest?.step ?? 0)}: ${told?.join(', ')}. About 0.001 is usual.`,
      };
    },
  });
}

function layersOf({ gradients }: Readonly<Snapshot>): string[] {
  return (gradients.at(-1)?.layers ?? []).map(({ layer }) => layer);
}
