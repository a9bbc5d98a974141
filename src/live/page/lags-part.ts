/** Gradient norm by lag: a heatmap a recurrent layer, their scale, and what they say in words. */
import { formatNumber } from '../../numbers.ts';
import type { GradientsPoint, Snapshot } from '../protocol.ts';
import { logScale, viridis } from '../view/colour-scale.ts';
import { lagCount, lagLabels, lagSentences, layerName, normText } from '../view/lags.ts';
import { missingGradients } from '../view/missing.ts';
import { DataTable } from './data-table.ts';
import { element, setText } from './elements.ts';
import { Heatmap } from './heatmap.ts';
import type { HeatmapColumn } from './heatmap-cursor.ts';
import { emptyState, type Part, section } from './part.ts';

const LEGEND_CELLS = 64;

export function lagsPart(): Part {
  const options = {
    id: 'lags',
    title: 'Gradient by lag',
    unit: 'norm of the gradient so many steps back in the chunk',
    wide: true,
  };
  const whole = section(options);
  const empty = emptyState('');
  const sentences = element('ul', { class: 'sentences' });
  const maps = element('div', { class: 'layers' });
  const legend = scaleLegend();
  const data = new DataTable('Gradient norm by lag');
  whole.append(empty, sentences, maps, legend.element, data.element);
  const heatmaps = new Map<string, Heatmap>();
  let drawn: GradientsPoint | undefined;
  return {
    element: whole,
    topics: ['gradients', 'run', 'kind'],
    draw(now) {
      const latest = now.gradients.at(-1);
      // The newest of a history stands alone: where it is the same, so are all before it.
      if (latest !== undefined && latest === drawn) return;
      drawn = latest;
      const layers = columnsByLayer(now);
      for (const part of [sentences, maps, legend.element, data.element])
        part.hidden = layers.size === 0;
      empty.hidden = layers.size > 0;
      if (layers.size === 0) return setText(empty, missingGradients(now));
      const count = lagCount(now.run);
      const scale = logScale(norms(layers));
      legend.show(scale.low, scale.high);
      const told = latest ? lagSentences(latest) : [];
      sentences.replaceChildren(...told.map((text) => element('li', {}, text)));
      if ([...layers.keys()].join() !== [...heatmaps.keys()].join()) {
        heatmaps.clear();
        for (const layer of layers.keys()) heatmaps.set(layer, new Heatmap(layerName(layer)));
        maps.replaceChildren(...[...heatmaps.values()].map((heatmap) => heatmap.element));
      }
      for (const [layer, columns] of layers) heatmaps.get(layer)?.draw(columns, scale, count);
      data.show(() => tableOf(layers, count));
    },
  };
}

function columnsByLayer({ gradients }: Readonly<Snapshot>): Map<string, HeatmapColumn[]> {
  const layers = new Map<string, HeatmapColumn[]>();
  for (const { step, layers: measured } of gradients) {
    for (const { layer, normByLag } of measured) {
      if (!normByLag?.length) continue;
      const columns = layers.get(layer) ?? [];
      columns.push({ step, norms: normByLag });
      layers.set(layer, columns);
    }
  }
  return layers;
}

function* norms(layers: ReadonlyMap<string, readonly HeatmapColumn[]>): Iterable<number> {
  for (const columns of layers.values()) {
    for (const column of columns) for (const { norm } of column.norms) yield norm ?? Number.NaN;
  }
}

function tableOf(layers: ReadonlyMap<string, readonly HeatmapColumn[]>, count: number) {
  const all = [...layers].flatMap(([layer, columns]) =>
    columns.map((column) => ({ layer, ...column })),
  );
  const labels = lagLabels(all[0]?.norms ?? [], count);
  return {
    head: ['layer', ...labels.map((label) => `lag ${label}`)],
    rows: all
      .sort((a, b) => a.step - b.step)
      .map(({ step, layer, norms: found }) => ({
        step,
        cells: [layer, ...found.map(({ norm }) => normText(norm))],
      })),
  };
}

/** A strip of the colours, with the norms at its ends. */
function scaleLegend() {
  const strip = element('canvas', { width: LEGEND_CELLS, height: 1, 'aria-hidden': 'true' });
  const context = strip.getContext('2d');
  const image = context?.createImageData(LEGEND_CELLS, 1);
  if (context && image) {
    for (let i = 0; i < LEGEND_CELLS; i++) {
      image.data.set([...viridis(i / (LEGEND_CELLS - 1)), 255], i * 4);
    }
    context.putImageData(image, 0, 0);
  }
  const [low, high] = [element('span'), element('span')];
  return {
    element: element(
      'p',
      { class: 'scale' },
      'norm, log scale: ',
      element('span', {}, low, strip, high),
    ),
    show(least: number, most: number) {
      setText(low, formatNumber(least));
      setText(high, formatNumber(most));
    },
  };
}
