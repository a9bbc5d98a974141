/** The history of a run as its logs have it, for one that goes on and for a report. */
import { join } from 'node:path';
import { RunHistory } from './history.ts';
import { logObjects } from './log-lines.ts';
import {
  evaluationLine,
  gradientsLine,
  joinTimings,
  type StepLine,
  sampleLine,
  stepLine,
  type TimingLine,
  timingLine,
} from './log-records.ts';
import type { Point } from './protocol.ts';

/** Bytes of each log that count, by its name; all where none is given. */
export type LogBytes = Readonly<Partial<Record<string, number>>>;

/**
 * Reads the logs in a run's folder: in one pass, in bounded memory. Lines that are torn, hostile or not in order are passed
 * over. `phases`: names of the phases, in the order of `Point.phaseSeconds`. Throws as open and read do.
 */
export async function readRunLogs(
  folder: string,
  phases: readonly string[],
  bytes: LogBytes = {},
): Promise<RunHistory> {
  const history = new RunHistory();
  const log = <Record extends { step: number }>(
    name: string,
    recordOf: (line: Readonly<globalThis.Record<string, unknown>>) => Record | undefined,
  ) => ascending(logObjects(join(folder, `${name}.ndjson`), bytes[name]), recordOf);

  const timings = timingsByStep(logObjects(join(folder, 'timings.ndjson'), bytes.timings));
  for await (const point of pointsOf(log('steps', stepLine), timings, phases)) {
    history.addPoint(point);
  }
  let lowest = Number.POSITIVE_INFINITY;
  for await (const evaluation of log('evals', evaluationLine)) {
    const loss = evaluation.loss ?? Number.POSITIVE_INFINITY;
    const best = loss < lowest;
    lowest = Math.min(lowest, loss);
    history.addEvaluation({ ...evaluation, best });
  }
  for await (const gradients of log('gradients', gradientsLine)) history.addGradients(gradients);
  for await (const sample of log('samples', sampleLine)) history.addSample(sample);
  return history;
}

/** The records of lines that are some, each of a later step than the one before. */
async function* ascending<Record extends { step: number }>(
  lines: AsyncIterable<globalThis.Record<string, unknown>>,
  recordOf: (line: globalThis.Record<string, unknown>) => Record | undefined,
): AsyncGenerator<Record> {
  let last = -1;
  for await (const line of lines) {
    const record = recordOf(line);
    if (!record || record.step <= last) continue;
    last = record.step;
    yield record;
  }
}

/** Each step's line, with what came after the last one; lines that are repeated or not in order are passed over. */
async function* timingsByStep(
  lines: AsyncIterable<globalThis.Record<string, unknown>>,
): AsyncGenerator<TimingLine> {
  let pending: TimingLine | undefined;
  for await (const line of lines) {
    const timing = timingLine(line);
    if (!timing) continue;
    if (pending === undefined || timing.step > pending.step) {
      if (pending) yield pending;
      pending = timing;
    } else if (timing.step === pending.step && timing.seconds === 0) {
      pending = joinTimings(pending, timing);
    }
  }
  if (pending) yield pending;
}

/** Each step with its timing, where there is one: lines of either log may be lost. */
async function* pointsOf(
  steps: AsyncIterable<StepLine>,
  timings: AsyncGenerator<TimingLine>,
  phases: readonly string[],
): AsyncGenerator<Point> {
  let tokensBefore = 0;
  let stepBefore = 0;
  let timing = await timings.next();
  for await (const line of steps) {
    while (!timing.done && timing.value.step < line.step) timing = await timings.next();
    const own = !timing.done && timing.value.step === line.step ? timing.value : undefined;
    const stepTokens = (line.tokens - tokensBefore) / Math.max(1, line.step - stepBefore);
    [tokensBefore, stepBefore] = [line.tokens, line.step];
    yield pointOf(line, own, stepTokens, phases);
  }
  await timings.return(undefined);
}

function pointOf(
  { step, tokens, loss, gradNorm, clipScale, lr }: StepLine,
  timing: TimingLine | undefined,
  stepTokens: number,
  phases: readonly string[],
): Point {
  return {
    step,
    steps: 1,
    tokens,
    time: null,
    loss,
    lowestLoss: loss,
    highestLoss: loss,
    gradNorm,
    highestGradNorm: gradNorm,
    clippedShare: clipScale < 1 ? 1 : 0,
    learningRate: lr,
    tokensPerSecond: timing && timing.seconds > 0 ? stepTokens / timing.seconds : 0,
    phaseSeconds: phases.map((phase) => timing?.phaseSeconds[phase] ?? 0),
    busyShares: timing ? busySharesOf(timing) : [],
  };
}

function busySharesOf({ busySeconds, phaseSeconds }: TimingLine): number[] {
  const total = Object.values(phaseSeconds).reduce((sum, seconds) => sum + seconds, 0);
  if (total === 0) return [];
  return busySeconds.map((seconds) => Math.max(0, Math.min(1, seconds / total)));
}
