/** Gradient norm by lag as a picture: steps to the right, lags downwards, colour the norm. */
import { formatCount } from '../../numbers.ts';
import { type LogScale, viridis } from '../view/colour-scale.ts';
import { lagLabels } from '../view/lags.ts';
import { element, setText } from './elements.ts';
import { type HeatmapColumn, HeatmapCursor } from './heatmap-cursor.ts';

/** Height of a row; the style sheet has it too. */
const ROW_PIXELS = 18;

export class Heatmap {
  readonly element: HTMLElement;
  readonly #canvas = element('canvas');
  readonly #cursor: HeatmapCursor;
  readonly #lags = element('div', { class: 'lags', 'aria-hidden': 'true' });
  readonly #first = element('span');
  readonly #last = element('span');

  constructor(title: string) {
    this.#cursor = new HeatmapCursor(title, this.#canvas);
    const steps = element(
      'div',
      { class: 'steps', 'aria-hidden': 'true' },
      this.#first,
      element('span', {}, 'step'),
      this.#last,
    );
    const cells = element('div', {}, this.#cursor.element, steps);
    this.element = element(
      'div',
      { class: 'layer' },
      element('h3', {}, title),
      element('div', { class: 'heatmap' }, this.#lags, cells),
      this.#cursor.readout,
    );
  }

  /** One canvas pixel a cell: the browser stretches it without blurring. `count`: lags of a chunk. */
  draw(columns: readonly HeatmapColumn[], scale: LogScale, count: number): void {
    const labels = lagLabels(columns.at(-1)?.norms ?? [], count);
    const [width, height] = [columns.length, labels.length];
    Object.assign(this.#canvas, { width, height });
    this.#canvas.style.height = `${height * ROW_PIXELS}px`;
    this.#lags.replaceChildren(...labels.map((label) => element('span', {}, label)));
    setText(this.#first, formatCount(columns[0]?.step ?? 0));
    setText(this.#last, formatCount(columns.at(-1)?.step ?? 0));
    this.#cursor.draw(columns, labels);
    const context = this.#canvas.getContext('2d');
    if (!context || width === 0 || height === 0) return;
    const image = context.createImageData(width, height);
    for (const [x, { norms }] of columns.entries()) {
      for (let y = 0; y < height; y++) {
        const share = scale.shareOf(norms[y]?.norm ?? Number.NaN);
        // What has no logarithm, or was not finite, stays without colour.
        if (share !== undefined) image.data.set([...viridis(share), 255], (y * width + x) * 4);
      }
    }
    context.putImageData(image, 0, 0);
  }
}
