/** A part with curves over steps: legend with the values under the cursor, chart, summary, table. */
import { formatCount } from '../../numbers.ts';
import type { Snapshot } from '../protocol.ts';
import type { Topic } from '../view/run-view.ts';
import { DataTable } from './data-table.ts';
import { element, setAttributes, setText } from './elements.ts';
import { Legend } from './legend.ts';
import { emptyState, type Part, type PartOptions, section } from './part.ts';
import { type Column, type Curve, Plot } from './plot.ts';

export interface Curves {
  steps: number[];
  /** A column a curve: what legend and table show. */
  values: Column[];
  /** What is drawn instead, where that is not the values. */
  drawn?: Column[];
  log?: boolean;
  /** One or two sentences. */
  summary: string;
}

export interface CurvesPartOptions extends PartOptions {
  topics: readonly Topic[];
  height?: number;
  fromZero?: boolean;
  formatAxis?(value: number): string;
  controls?: HTMLElement[];
  /** The curves of this run; called for every drawing. */
  curves(now: Readonly<Snapshot>): readonly Curve[];
  /** What to draw; a text that says why there is nothing. */
  read(now: Readonly<Snapshot>): Curves | string;
}

export class CurvesPart implements Part {
  readonly element: HTMLElement;
  readonly topics: readonly Topic[];
  readonly #options: CurvesPartOptions;
  readonly #plot: Plot;
  readonly #legend = new Legend();
  readonly #summary = element('p', { class: 'summary' });
  readonly #table: DataTable;
  readonly #empty = emptyState('');
  #curves: readonly Curve[] = [];
  #shown: Curves | undefined;
  #cursor: number | null = null;
  #last: Readonly<Snapshot> | undefined;

  constructor(options: CurvesPartOptions) {
    this.#options = options;
    this.topics = options.topics;
    this.#plot = new Plot({
      curves: [],
      height: options.height ?? 200,
      fromZero: options.fromZero,
      formatAxis: options.formatAxis,
      onCursor: (index) => this.#follow(index),
      onChoice: () => this.#tell(),
    });
    this.#table = new DataTable(`${options.title} by step`);
    this.element = section(options, ...(options.controls ?? []));
    this.element.append(
      this.#empty,
      this.#legend.element,
      this.#plot.element,
      this.#summary,
      this.#table.element,
    );
    setAttributes(this.#plot.element, {
      role: 'slider',
      tabindex: 0,
      // Not described by the summary, which changes: that is read out too.
      'aria-label': `Chart: ${options.title} by step`,
    });
  }

  draw(now: Readonly<Snapshot>): void {
    this.#last = now;
    const curves = this.#options.curves(now);
    const read = this.#options.read(now);
    const shown = typeof read === 'string' ? undefined : read;
    for (const { element: part } of [this.#legend, this.#plot, this.#table]) part.hidden = !shown;
    this.#empty.hidden = shown !== undefined;
    this.#summary.hidden = !shown;
    this.#shown = shown;
    if (typeof read === 'string') setText(this.#empty, read);
    if (shown) this.#drawCurves(curves, shown);
  }

  #drawCurves(curves: readonly Curve[], shown: Curves): void {
    if (namesOf(curves) !== namesOf(this.#curves)) this.#change(curves);
    this.#plot.draw(shown.steps, shown.drawn ?? shown.values, shown.log);
    setText(this.#summary, shown.summary);
    this.#showValues();
    // What has the focus is read out when it changes, and would be with every step.
    if (document.activeElement !== this.#plot.element) this.#tell();
    this.#table.show(() => ({
      head: curves.map(({ name }) => name),
      rows: shown.steps.map((step, i) => ({
        step,
        cells: this.#texts(i),
        isRare: curves.some(({ look }, c) => look === 'points' && isNumber(shown.values[c][i])),
      })),
    }));
  }

  recolour(): void {
    this.#plot.recolour();
  }

  /** After a control of this part has changed. */
  redraw(): void {
    if (this.#last) this.draw(this.#last);
  }

  #change(curves: readonly Curve[]): void {
    this.#curves = curves;
    this.#plot.remake(curves);
    this.#legend.name(curves);
  }

  #follow(index: number | null): void {
    this.#cursor = index;
    this.#showValues();
  }

  #showValues(): void {
    if (!this.#shown) return;
    const { steps, values } = this.#shown;
    const index = this.#cursor;
    if (index !== null && index < steps.length) {
      this.#legend.show(`step ${formatCount(steps[index])}`, this.#texts(index));
    } else {
      const latest = values.map((column, i) => textOf(this.#curves[i], column.findLast(isNumber)));
      this.#legend.show('latest', latest);
    }
  }

  /** The step and its values to those who do not see the legend. */
  #tell(): void {
    if (!this.#shown) return;
    const { steps } = this.#shown;
    const last = steps.length - 1;
    setAttributes(this.#plot.element, {
      'aria-valuemin': steps[0],
      'aria-valuemax': steps[last],
      'aria-valuenow': steps[Math.min(this.#cursor ?? last, last)],
      'aria-valuetext': this.#legend.text,
    });
  }

  #texts(index: number): string[] {
    const values = this.#shown?.values ?? [];
    return this.#curves.map((curve, i) => textOf(curve, values[i][index]));
  }
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number';
}

function textOf(curve: Curve, value: number | null | undefined): string {
  return isNumber(value) ? curve.format(value) : '–';
}

function namesOf(curves: readonly Curve[]): string {
  return JSON.stringify(curves.map(({ name, look }) => [name, look]));
}
