/** What the load cost the training, and where that is too much. */
import { cpus } from 'node:os';
import { formatBytes } from '../../src/bytes.ts';
import { surroundings } from '../../src/machine.ts';
import { median, trimmedMean } from '../../src/statistics.ts';
import type { LoadPlan, LoadReport, Usage } from './clients.ts';

/** Share of the steps a second that all clients together may cost, twice the error of the measurement aside. */
const MOST_COST = 0.05;
/** What the resident memory of the training may gain from the first pair to the most that it ever was. */
const MOST_GROWTH_BYTES = 32 * 2 ** 20;
/** Of what was to be asked; less is no load to speak of. */
const LEAST_ANSWERED_SHARE = 0.9;

/** Of the training. */
export interface Pace {
  stepsPerSecond: number;
  processorSecondsPerStep: number;
  /** At the end. */
  residentBytes: number;
}

/** What the process of the clients does without load. */
export type Control = 'burn' | 'idle';

/** The training without and with the load, and what the process of the clients took and saw meanwhile. */
export interface Pair {
  without: Pace;
  usageWithout: Usage;
  with: Pace;
  load: LoadReport;
}

export interface Outcome {
  plan: LoadPlan;
  /** Of each half of a pair. */
  seconds: number;
  /** Load average before the start. */
  loadBefore: number;
  control: Control;
  /** As flags. */
  model: string;
  pairs: Pair[];
}

export function describe({ with: loaded, without }: Pair): string {
  const ratio = loaded.stepsPerSecond / without.stepsPerSecond;
  return (
    `${loaded.stepsPerSecond.toFixed(2)} steps/s with, ${without.stepsPerSecond.toFixed(2)} without, ratio ${ratio.toFixed(4)}; ` +
    `${formatBytes(loaded.residentBytes)} resident`
  );
}

export function report(outcome: Outcome): string {
  const { plan, seconds, loadBefore, model, pairs } = outcome;
  const { scrapes, slow, hostile, listeners, loadedSeconds } = countsOf(outcome);
  const { first, most } = memoryOf(outcome);
  const perSecond = (count: number) => (count / loadedSeconds).toFixed(0);
  const share = shareOf(pairs.map(({ load }) => load));
  const shareWithout = shareOf(pairs.map(({ usageWithout }) => usageWithout));
  const { ratios, mean, error } = speedOf(outcome);
  const processor = pairs.map(
    (pair) => pair.with.processorSecondsPerStep / pair.without.processorSecondsPerStep,
  );
  return `
machine    ${surroundings().cores} cores of ${cpus()[0]?.model.trim()}, load average ${loadBefore.toFixed(1)} at the start
training   ${model}, all cores
scrapes    ${perSecond(scrapes.answered)} answered a second on ${plan.keepsConnections ? 'kept' : 'new'} connections, ${scrapes.failed} failed in all
slow       ${pairs.map(({ load }) => load.slow.open).join(' ')} connections open, ${slow} ended by the server
hostile    ${perSecond(hostile.refused)} huge headers refused a second, ${hostile.cutOff} cut off, ${hostile.accepted} accepted; ${perSecond(hostile.aborted)} scrapes aborted a second
listeners  ${perSecond(listeners.begun)} begun a second, ${listeners.failed} failed, ${formatBytes(listeners.bytes / loadedSeconds)} a second
clients    ${(100 * share).toFixed(1)}% of a core, at a lower priority; without load ${(100 * shareWithout).toFixed(1)}%
memory     ${formatBytes(first)} before, ${formatBytes(most)} at most (resident, of the training)
processor  with / without, of the training a step: median ${median(processor).toFixed(4)}
speed      with / without, mean of ${pairs.length} pairs of ${seconds} s without a tenth at each end: ${mean.toFixed(4)} ± ${error.toFixed(4)} (from ${Math.min(...ratios).toFixed(4)} to ${Math.max(...ratios).toFixed(4)})
cost       ${percent(1 - mean)} ± ${percent(error)}${outcome.control === 'idle' ? ', with what the clients do themselves' : ''}
`;
}

/** One line for each thing that is not as it must be. */
export function shortfallsOf(outcome: Outcome): string[] {
  const { plan } = outcome;
  const { scrapes, hostile, listeners, loadedSeconds } = countsOf(outcome);
  const { first, most } = memoryOf(outcome);
  const { mean, error } = speedOf(outcome);
  const cost = 1 - mean;
  const least = (perSecond: number) => LEAST_ANSWERED_SHARE * perSecond * loadedSeconds;
  const shortfalls: [boolean, string][] = [
    [
      cost - 2 * error > MOST_COST,
      `Expected the load to cost at most ${percent(MOST_COST)} of the steps a second, got ${percent(cost)}.`,
    ],
    [
      most - first > MOST_GROWTH_BYTES,
      `Expected at most ${formatBytes(MOST_GROWTH_BYTES)} more memory under load, got ${formatBytes(most - first)}.`,
    ],
    [
      scrapes.answered < least(plan.scrapesPerSecond),
      `Expected ${plan.scrapesPerSecond} scrapes answered a second, got ${(scrapes.answered / loadedSeconds).toFixed(0)}.`,
    ],
    [
      hostile.refused + hostile.cutOff < least(plan.hostilePerSecond) || hostile.accepted > 0,
      `Expected ${plan.hostilePerSecond} huge headers refused a second, got ${(hostile.refused / loadedSeconds).toFixed(0)}, and ${hostile.accepted} accepted.`,
    ],
    [
      listeners.begun < least(plan.listeners),
      `Expected ${plan.listeners} live pages begun a second, got ${(listeners.begun / loadedSeconds).toFixed(1)}.`,
    ],
  ];
  return shortfalls.filter(([falls]) => falls).map(([, line]) => line);
}

/** Of all pairs together. */
function countsOf({ pairs }: Outcome) {
  const total = (value: (load: LoadReport) => number) => sum(pairs, ({ load }) => value(load));
  return {
    loadedSeconds: total(({ seconds }) => seconds),
    slow: total(({ slow }) => slow.endedByServer),
    scrapes: {
      answered: total(({ scrapes }) => scrapes.answered),
      failed: total(({ scrapes }) => scrapes.failed),
    },
    hostile: {
      refused: total(({ hostile }) => hostile.refused),
      cutOff: total(({ hostile }) => hostile.cutOff),
      accepted: total(({ hostile }) => hostile.accepted),
      aborted: total(({ hostile }) => hostile.aborted),
    },
    listeners: {
      begun: total(({ listeners }) => listeners.begun),
      failed: total(({ listeners }) => listeners.failed),
      bytes: total(({ listeners }) => listeners.bytes),
    },
  };
}

function memoryOf({ pairs }: Outcome): { first: number; most: number } {
  const readings = pairs.flatMap((pair) => [pair.without.residentBytes, pair.with.residentBytes]);
  return { first: pairs[0].without.residentBytes, most: Math.max(...readings) };
}

/** Steps a second with the load in units of those without. */
function speedOf({ pairs }: Outcome) {
  const ratios = pairs.map((pair) => pair.with.stepsPerSecond / pair.without.stepsPerSecond);
  return { ratios, ...trimmedMean(ratios) };
}

/** Of a core. */
function shareOf(usages: readonly Usage[]): number {
  return sum(usages, (usage) => usage.processorSeconds) / sum(usages, ({ seconds }) => seconds);
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}
