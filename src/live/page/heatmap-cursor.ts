/** Which cell of a heatmap is told in words: the one under the pointer, or the one that keys have chosen. */
import { formatCount } from '../../numbers.ts';
import { type LagNorms, normText } from '../view/lags.ts';
import { element, setAttributes, setText } from './elements.ts';

export interface HeatmapColumn {
  step: number;
  norms: LagNorms;
}

interface Cell {
  column: number;
  row: number;
}

export class HeatmapCursor {
  /** The picture, as a slider over its steps that has lags beside. */
  readonly element: HTMLElement;
  readonly readout = element('p', { class: 'readout' });
  readonly #mark = element('span', { class: 'mark', hidden: true });
  #columns: readonly HeatmapColumn[] = [];
  #labels: readonly string[] = [];
  /** By its step: the cursor stays on it while the picture grows. */
  #chosen: { step: number; row: number } | undefined;

  constructor(title: string, picture: HTMLElement) {
    const label = `Heatmap: ${title}; left and right change the step, up and down the lag`;
    const attributes = { class: 'cells', role: 'slider', tabindex: 0, 'aria-label': label };
    this.element = element('div', attributes, picture, this.#mark);
    this.element.addEventListener('keydown', (event) => this.#press(event));
    this.element.addEventListener('blur', () => this.#choose(undefined));
    this.element.addEventListener('pointermove', (event) => this.#point(event));
    this.element.addEventListener('pointerleave', () => this.#show());
  }

  /** What there is to be told from now on. `labels`: of the lags. */
  draw(columns: readonly HeatmapColumn[], labels: readonly string[]): void {
    this.#columns = columns;
    this.#labels = labels;
    this.#show();
    // What has the focus is read out when it changes.
    if (document.activeElement !== this.element) this.#tell();
  }

  #press(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key === 'Escape') this.#choose(undefined);
    const move = MOVES[event.key];
    if (!move || this.#columns.length === 0) return;
    event.preventDefault();
    this.#choose(move(this.#cell, this.#columns.length - 1));
  }

  #choose(cell: Cell | undefined): void {
    if (!cell && !this.#chosen) return;
    const within = (index: number, count: number) => Math.max(0, Math.min(count - 1, index));
    this.#chosen = cell && {
      step: this.#columns[within(cell.column, this.#columns.length)].step,
      row: within(cell.row, this.#labels.length),
    };
    this.#show();
    this.#tell();
  }

  /** The chosen one; before that of the last step and lag 0. A history that was thinned may have a later step in its place. */
  get #cell(): Cell {
    const last = this.#columns.length - 1;
    if (!this.#chosen) return { column: last, row: 0 };
    const { step, row } = this.#chosen;
    const column = this.#columns.findIndex((candidate) => candidate.step >= step);
    return { column: column < 0 ? last : column, row: Math.min(row, this.#labels.length - 1) };
  }

  /** The chosen one to those who see it. */
  #show(): void {
    const { column, row } = this.#cell;
    this.#mark.hidden = !this.#chosen;
    setText(this.readout, this.#chosen ? this.#textOf(this.#cell) : '');
    const percent = (index: number, count: number) => `${(100 * index) / count}%`;
    Object.assign(this.#mark.style, {
      left: percent(column, this.#columns.length),
      width: percent(1, this.#columns.length),
      top: percent(row, this.#labels.length),
      height: percent(1, this.#labels.length),
    });
  }

  /** And to those who do not. */
  #tell(): void {
    const [first, last] = [this.#columns[0], this.#columns[this.#columns.length - 1]];
    if (!first) return;
    setAttributes(this.element, {
      'aria-valuemin': first.step,
      'aria-valuemax': last.step,
      'aria-valuenow': this.#columns[this.#cell.column].step,
      'aria-valuetext': this.#textOf(this.#cell),
    });
  }

  #point({ clientX, clientY }: PointerEvent): void {
    const { width, height, left, top } = this.element.getBoundingClientRect();
    const column = Math.floor(((clientX - left) / width) * this.#columns.length);
    const row = Math.floor(((clientY - top) / height) * this.#labels.length);
    setText(this.readout, this.#textOf({ column, row }));
  }

  #textOf({ column, row }: Cell): string {
    const { step, norms } = this.#columns[column] ?? {};
    const norm = norms?.[row]?.norm;
    if (step === undefined || norm === undefined) return '';
    return `step ${formatCount(step)}, ${this.#labels[row]} steps back: ${normText(norm)}`;
  }
}

/** Lags run downwards. */
const MOVES: Readonly<Record<string, (cell: Cell, last: number) => Cell>> = {
  ArrowLeft: ({ column, row }) => ({ column: column - 1, row }),
  ArrowRight: ({ column, row }) => ({ column: column + 1, row }),
  ArrowUp: ({ column, row }) => ({ column, row: row - 1 }),
  ArrowDown: ({ column, row }) => ({ column, row: row + 1 }),
  PageDown: ({ column, row }, last) => ({ column: column - Math.ceil(last / 10), row }),
  PageUp: ({ column, row }, last) => ({ column: column + Math.ceil(last / 10), row }),
  Home: ({ row }) => ({ column: 0, row }),
  End: ({ row }, last) => ({ column: last, row }),
};
