/** What the measurements say: medians, ratios, one table. */

import { formatBytes } from '../../src/bytes.ts';
import { formatCount } from '../../src/commands/output.ts';
import { median } from '../../src/statistics.ts';
import { describeShape, type Shape } from './shapes.ts';
import { type Measurement, type Missing, NATIVE } from './systems.ts';

/** One system on one shape: a round's measurement each, or why there is none. */
export interface Series {
  system: string;
  variant: string;
  measurements: Measurement[];
  failure?: string;
}

export interface Comparison {
  shape: Shape;
  series: Series[];
}

/** Where and how it was measured. */
export interface Circumstances {
  date: string;
  processor: string;
  cores: number;
  memoryBytes: number;
  platform: string;
  /** Processes that wanted a core in the minute before; 0 where the system does not say. */
  loadBefore: number;
  versions: string[];
  missing: Missing[];
  rounds: number;
  seconds: number;
}

export interface Result {
  system: string;
  variant: string;
  /** Median of the rounds. */
  tokensPerSecond: number;
  /** Of the rounds: (largest − smallest) / median. */
  spread: number;
  /** How many times as fast as this Threadloom's native backend is; null where it is not here. */
  nativeIsFasterBy: number | null;
  peakBytes: number;
}

/** Of the systems that share a name the fastest. */
export function summarize({ series }: Comparison): Result[] {
  const results = series
    .filter(({ measurements }) => measurements.length > 0)
    .map(({ system, variant, measurements }) => {
      const rates = measurements.map(({ tokensPerSecond }) => tokensPerSecond);
      const tokensPerSecond = median(rates);
      const spread = (Math.max(...rates) - Math.min(...rates)) / tokensPerSecond;
      const peakBytes = Math.max(...measurements.map((each) => each.peakBytes));
      return { system, variant, tokensPerSecond, spread, peakBytes };
    })
    .sort((a, b) => b.tokensPerSecond - a.tokensPerSecond);
  const native = results.find(({ system }) => system === NATIVE)?.tokensPerSecond;
  return results
    .filter(({ system }, i) => results.findIndex((each) => each.system === system) === i)
    .map((result) => ({
      ...result,
      nativeIsFasterBy: native === undefined ? null : native / result.tokensPerSecond,
    }));
}

export function formatReport(comparisons: readonly Comparison[], where: Circumstances): string {
  const memory = `${(where.memoryBytes / 2 ** 30).toFixed(0)} GiB`;
  const machine = [where.date, where.processor, `${where.cores} cores`, memory, where.platform];
  return [
    formatTable(comparisons, formatCell),
    [
      'Tokens/s (brain.js: characters/s),',
      `medians over alternating rounds (${where.rounds}, of ${where.seconds} s each);`,
      'in brackets: how many times as fast Threadloom native is.',
      `Spread, (most − least) / median, at most ${(100 * largestSpread(comparisons)).toFixed(0)}%.`,
    ].join(' '),
    formatTable(comparisons, ({ peakBytes }) => formatBytes(peakBytes)),
    'Most memory that was resident, as the system counts it, all processes of a system together.',
    [
      'V=65, embedding of width H, Adam, gradient clipped to norm 1, state carried;',
      'brain.js trains one text at a time, by its own RMSProp; it and TensorFlow.js are slow, and measured at the smallest shape alone.',
      `PyTorch, one process: the better of ${where.cores} threads and one.`,
    ].join(' '),
    `${[...machine, `load before ${where.loadBefore.toFixed(1)}`, ...where.versions].join(', ')}.`,
    ...where.missing.map(formatMissing),
    ...comparisons.flatMap(({ shape, series }) =>
      series
        .filter(({ failure }) => failure !== undefined)
        .map(
          (each) => `Failed: ${each.system} (${each.variant}) on ${shape.name}: ${each.failure}`,
        ),
    ),
    '',
  ].join('\n\n');
}

export function formatMissing({ name, reason, remedy }: Missing): string {
  return `Missing: ${name} (${reason}). To have it measured: ${remedy}.`;
}

function formatTable(comparisons: readonly Comparison[], cell: (result: Result) => string): string {
  const systems = [
    ...new Set(comparisons.flatMap(({ series }) => series.map(({ system }) => system))),
  ];
  const rows = comparisons.map((comparison) => {
    const results = summarize(comparison);
    const cells = systems.map((name) => {
      const result = results.find(({ system }) => system === name);
      return result ? cell(result) : '–';
    });
    return [describeShape(comparison.shape), ...cells];
  });
  const head = ['shape', ...systems];
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function largestSpread(comparisons: readonly Comparison[]): number {
  return Math.max(0, ...comparisons.flatMap(summarize).map(({ spread }) => spread));
}

function formatCell({ system, tokensPerSecond, nativeIsFasterBy: ratio }: Result): string {
  const rate = formatCount(tokensPerSecond);
  if (system === NATIVE || ratio === null) return rate;
  return `${rate} (${ratio < 10 ? ratio.toFixed(2) : formatCount(ratio)}×)`;
}
