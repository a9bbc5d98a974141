/** Gradient norm by lag as a picture: steps to the right, lags downwards, colour the norm. */
import { formatCount } from '../../numbers.ts';
import { type LogScale, viridis } from '../view/colour-scale.ts';
import { type LagNorms, lagLabels, normText } from '../view/lags.ts';
import { element, setText } from './elements.ts';

export interface HeatmapColumn {
  step: number;
  norms: LagNorms;
}

/** Height of a row; the style sheet has it too. */
const ROW_PIXELS = 18;

export class Heatmap {
  readonly element: HTMLElement;
  readonly #canvas = element('canvas');
  readonly #lags = element('div', { class: 'lags' });
  readonly #first = element('span');
  readonly #last = element('span');
  readonly #readout = element('p', { class: 'readout' });
  #columns: readonly HeatmapColumn[] = [];
  #labels: string[] = [];

  constructor(title: string) {
    const picture = element('div', { class: 'heatmap', 'aria-hidden': 'true' });
    const steps = element(
      'div',
      { class: 'steps' },
      this.#first,
      element('span', {}, 'step'),
      this.#last,
    );
    picture.append(this.#lags, element('div', {}, this.#canvas, steps));
    this.element = element(
      'div',
      { class: 'layer' },
      element('h3', {}, title),
      picture,
      this.#readout,
    );
    this.#canvas.addEventListener('pointermove', (event) => this.#tell(event));
    this.#canvas.addEventListener('pointerleave', () => setText(this.#readout, ''));
  }

  /** One canvas pixel a cell: the browser stretches it without blurring. `count`: lags of a chunk. */
  draw(columns: readonly HeatmapColumn[], scale: LogScale, count: number): void {
    this.#columns = columns;
    this.#labels = lagLabels(columns.at(-1)?.norms ?? [], count);
    const [width, height] = [columns.length, this.#labels.length];
    Object.assign(this.#canvas, { width, height });
    this.#canvas.style.height = `${height * ROW_PIXELS}px`;
    this.#lags.replaceChildren(...this.#labels.map((label) => element('span', {}, label)));
    setText(this.#first, formatCount(columns[0]?.step ?? 0));
    setText(this.#last, formatCount(columns.at(-1)?.step ?? 0));
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

  #tell(event: PointerEvent): void {
    const { width, height, left, top } = this.#canvas.getBoundingClientRect();
    const column =
      this.#columns[Math.floor(((event.clientX - left) / width) * this.#columns.length)];
    const row = Math.floor(((event.clientY - top) / height) * this.#labels.length);
    const norm = column?.norms[row]?.norm;
    if (norm === undefined) return;
    const place = `step ${formatCount(column.step)}, ${this.#labels[row]} steps back`;
    setText(this.#readout, `${place}: ${normText(norm)}`);
  }
}
