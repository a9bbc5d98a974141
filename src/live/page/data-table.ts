/** The numbers of a chart as a table, made only while it is open. */
import { formatCount } from '../../numbers.ts';
import { rowsToShow, type TableRow } from '../view/table-rows.ts';
import { element, table } from './elements.ts';

export interface TableData {
  /** After the step. */
  head: readonly string[];
  /** Ascending. */
  rows: readonly TableRow[];
}

const REFRESH_MILLISECONDS = 1_000;

export class DataTable {
  readonly element = element('details', {}, element('summary', {}, 'Data as a table'));
  readonly #caption: string;
  readonly #place = element('div', { class: 'scroll', tabindex: 0, role: 'region' });
  #read: (() => TableData) | undefined;
  #madeAt = Number.NEGATIVE_INFINITY;
  #waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(caption: string) {
    this.#caption = caption;
    this.#place.setAttribute('aria-label', caption);
    this.element.append(this.#place);
    this.element.addEventListener('toggle', () => this.#make());
  }

  /** What the table is of from now on: made at once, or when the last one has stood for a second. */
  show(read: () => TableData): void {
    this.#read = read;
    const wait = this.#madeAt + REFRESH_MILLISECONDS - performance.now();
    if (wait <= 0) this.#make();
    else this.#waiting ??= setTimeout(() => this.#make(), wait);
  }

  #make(): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
    if (!this.#read || !this.element.open) return;
    this.#madeAt = performance.now();
    const { head, rows } = this.#read();
    const { shown, isAll } = rowsToShow(rows);
    const note = isAll ? ', newest first' : ', newest first, some steps left out';
    const lines = shown.map(({ step, cells }) => [formatCount(step), ...cells]);
    this.#place.replaceChildren(table(this.#caption + note, ['step', ...head], lines));
  }
}
