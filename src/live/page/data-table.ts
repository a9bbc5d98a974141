/** The numbers of a chart as a table, made only while it is open. */
import { element, table } from './elements.ts';

export interface TableData {
  head: readonly string[];
  rows: readonly (readonly string[])[];
}

/** More would be slow to make and to read. */
const MAX_ROWS = 100;
const REFRESH_MILLISECONDS = 1_000;

export class DataTable {
  readonly element = element('details', {}, element('summary', {}, 'Data as a table'));
  readonly #caption: string;
  readonly #place = element('div', { class: 'scroll', tabindex: 0, role: 'region' });
  #read: (() => TableData) | undefined;
  #madeAt = Number.NEGATIVE_INFINITY;

  constructor(caption: string) {
    this.#caption = caption;
    this.#place.setAttribute('aria-label', caption);
    this.element.append(this.#place);
    this.element.addEventListener('toggle', () => {
      if (this.element.open) this.#make();
    });
  }

  /** What the table is of from now on. */
  show(read: () => TableData): void {
    this.#read = read;
    const due = performance.now() - this.#madeAt >= REFRESH_MILLISECONDS;
    if (this.element.open && due) this.#make();
  }

  #make(): void {
    if (!this.#read) return;
    this.#madeAt = performance.now();
    const { head, rows } = this.#read();
    const stride = Math.ceil(rows.length / MAX_ROWS);
    // Newest first, and the newest always there.
    const kept = rows.filter((_, i) => (rows.length - 1 - i) % stride === 0).toReversed();
    const note = stride > 1 ? `, one row in ${stride}, newest first` : ', newest first';
    this.#place.replaceChildren(table(this.#caption + note, head, kept));
  }
}
