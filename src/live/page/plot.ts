/** One chart of curves over steps, drawn by uPlot in the colours of the theme. */
import uPlot from 'uplot';
import { formatTick } from '../../numbers.ts';
import { colour } from './theme.ts';

export interface Curve {
  name: string;
  /** Custom property of its colour: `--c1`. */
  colour: string;
  format(value: number): string;
  /** `edge`: an edge of the band that follows it, not drawn itself; `area`: filled down to the axis. */
  look?: 'line' | 'faint' | 'dashed' | 'points' | 'edge' | 'area';
}

export type Column = (number | null | undefined)[];

export interface PlotOptions {
  curves: readonly Curve[];
  height: number;
  /** The value axis begins at zero. */
  fromZero?: boolean;
  formatAxis?(value: number): string;
  /** Called with the index under the cursor; null where there is none. */
  onCursor(index: number | null): void;
  /** Called after a key has chosen another step, or none any more. */
  onChoice(): void;
}

const AXIS_FONT = '12px system-ui, sans-serif';
/** 70%: less would be hard to see. The style sheet has it too. */
const FAINT = 'b3';
/** Charts whose cursors move together. */
const SYNC_KEY = 'steps';

export class Plot {
  readonly element = document.createElement('div');
  readonly #options: PlotOptions;
  #plot: uPlot | undefined;
  #data: uPlot.AlignedData = [[]];
  #log = false;
  /** Step that keys have chosen: the cursor stays on it while the chart grows. */
  #chosen: number | null = null;

  constructor(options: PlotOptions) {
    this.#options = options;
    this.element.className = 'plot';
    this.element.addEventListener('keydown', (event) => this.#press(event));
    this.element.addEventListener('blur', () => this.#choose(null));
    this.element.addEventListener('pointermove', () => {
      this.#chosen = null;
    });
    new ResizeObserver(() => this.#resize()).observe(this.element);
  }

  /** Draws curves over ascending steps. A value that is undefined is passed over, null breaks the curve. */
  draw(steps: number[], columns: Column[], log = false): void {
    this.#data = [steps, ...columns];
    if (log !== this.#log) this.#destroy();
    this.#log = log;
    if (this.#plot) this.#plot.setData(this.#data);
    else this.#create();
  }

  /** Curves of another run or layer: the chart is made anew. */
  remake(curves: readonly Curve[]): void {
    this.#options.curves = curves;
    this.#destroy();
  }

  recolour(): void {
    this.#plot?.redraw(false, true);
  }

  #destroy(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #create(): void {
    const width = this.element.clientWidth;
    if (width === 0) return; // Not laid out yet: the observer calls again.
    this.#plot = new uPlot(this.#uplotOptions(width), this.#data, this.element);
  }

  #resize(): void {
    const width = this.element.clientWidth;
    if (!this.#plot) this.#create();
    else if (width > 0 && width !== this.#plot.width) {
      this.#plot.setSize({ width, height: this.#options.height });
    }
  }

  #uplotOptions(width: number): uPlot.Options {
    const { curves, height, onCursor } = this.#options;
    return {
      width,
      height,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { size: 7 },
        sync: { key: SYNC_KEY },
      },
      scales: { x: { time: false, range: stepRange }, y: this.#valueScale() },
      axes: [this.#axis({ scale: 'x' }), this.#axis({ scale: 'y' })],
      series: [{}, ...curves.map(seriesOf)],
      bands: curves.flatMap(({ look, colour: name }, i) =>
        look === 'edge' && curves[i + 1]?.look === 'edge'
          ? [{ series: [i + 1, i + 2] as [number, number], fill: () => `${colour(name)}33` }]
          : [],
      ),
      hooks: {
        setCursor: [({ cursor }) => onCursor(cursor.idx ?? null)],
        // Only now is it known where a step lies.
        draw: [() => this.#placeCursor()],
      },
    };
  }

  #valueScale(): uPlot.Scale {
    if (this.#log) return { distr: 3, range: logRange };
    if (this.#options.fromZero)
      return { range: (_u, _low, high) => [0, high > 0 ? high * 1.1 : 1] };
    return { range: linearRange };
  }

  #axis({ scale }: { scale: 'x' | 'y' }): uPlot.Axis {
    const format = scale === 'y' ? (this.#options.formatAxis ?? formatTick) : formatTick;
    return {
      scale,
      font: AXIS_FONT,
      stroke: () => colour('--muted'),
      grid: { stroke: () => colour('--grid'), width: 1 },
      ticks: { stroke: () => colour('--grid'), width: 1, size: 4 },
      space: scale === 'x' ? 72 : 32,
      incrs: scale === 'x' ? WHOLE_INCREMENTS : undefined,
      values: (_u, splits) => splits.map((value) => (value === null ? '' : format(value))),
      ...(scale === 'x'
        ? { label: 'step', labelFont: AXIS_FONT, labelSize: 18, labelGap: -2, size: 26 }
        : { size: widthOfLabels, gap: 6 }),
    };
  }

  #press(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key === 'Escape') this.#choose(null);
    const move = KEYS[event.key];
    const steps = this.#data[0];
    if (!move || steps.length === 0) return;
    event.preventDefault();
    const last = steps.length - 1;
    this.#choose(steps[Math.max(0, Math.min(last, move(this.#index ?? last, last)))]);
  }

  /** Of the chosen step, or of the one under the pointer. A history that was thinned may have a later one in its place. */
  get #index(): number | null | undefined {
    if (this.#chosen === null) return this.#plot?.cursor.idx;
    const chosen = this.#chosen;
    const index = this.#data[0].findIndex((step) => step >= chosen);
    return index < 0 ? null : index;
  }

  #choose(step: number | null): void {
    if (step === null && this.#chosen === null) return;
    this.#chosen = step;
    if (step === null) this.#plot?.setCursor({ left: -1, top: -1 });
    else this.#placeCursor();
    this.#options.onChoice();
  }

  #placeCursor(): void {
    const plot = this.#plot;
    const index = this.#chosen === null ? null : this.#index;
    if (!plot || typeof index !== 'number') return;
    plot.setCursor({ left: plot.valToPos(this.#data[0][index], 'x'), top: 0 });
  }
}

/** As those of every slider. */
const KEYS: Readonly<Record<string, (index: number, last: number) => number>> = {
  ArrowLeft: (index) => index - 1,
  ArrowDown: (index) => index - 1,
  ArrowRight: (index) => index + 1,
  ArrowUp: (index) => index + 1,
  PageDown: (index, last) => index - Math.ceil(last / 10),
  PageUp: (index, last) => index + Math.ceil(last / 10),
  Home: () => 0,
  End: (_index, last) => last,
};

/** 1, 2, 5, 10, 20, 50 … */
const WHOLE_INCREMENTS = Array.from(
  { length: 30 },
  (_, i) => [1, 2, 5][i % 3] * 10 ** Math.floor(i / 3),
);

function seriesOf({ name, colour: property, look = 'line' }: Curve): uPlot.Series {
  const stroke = () => (look === 'faint' ? `${colour(property)}${FAINT}` : colour(property));
  return {
    label: name,
    stroke: look === 'edge' ? undefined : stroke,
    width: look === 'faint' || look === 'area' ? 1 : 1.75,
    dash: look === 'dashed' ? [6, 4] : undefined,
    fill: look === 'area' ? stroke : undefined,
    points: look === 'points' ? { show: true, size: 6, fill: stroke, stroke } : { show: false },
  };
}

/** Also of a single step a range that can be drawn. */
function stepRange(_plot: uPlot, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  return low === high ? [low - 1, high + 1] : [low, high];
}

function linearRange(_plot: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  if (low === null || high === null) return [0, 1];
  return low === high
    ? [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2]
    : uPlot.rangeNum(low, high, 0.08, false);
}

function logRange(_plot: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  if (low === null || high === null || low <= 0) return [0.1, 1];
  return uPlot.rangeLog(low, Math.max(high, low * 1.5), 10, false);
}

function widthOfLabels(plot: uPlot, labels: string[] | null): number {
  plot.ctx.font = AXIS_FONT;
  const widths = (labels ?? []).map((label) => plot.ctx.measureText(label).width);
  return Math.ceil(Math.max(18, ...widths) + 12);
}
