/** What a line of a log says, where it is what training writes; undefined where it is not. Pure. */
import { MAX_BUSY_SHARES } from './points.ts';
import type { GradientsPoint, LayerPoint } from './protocol.ts';
import { shortened } from './samples.ts';

// null stands for what was not finite.

/** A line of steps.ndjson. */
export interface StepLine {
  step: number;
  tokens: number;
  loss: number | null;
  gradNorm: number | null;
  clipScale: number;
  lr: number;
}

/** A line of timings.ndjson. */
export interface TimingLine {
  step: number;
  /** 0 for what came after the last step. */
  seconds: number;
  /** Of the step, and of what came between it and the one before. */
  phaseSeconds: Readonly<Record<string, number>>;
  /** Of each worker meanwhile; empty where it is not known. */
  busySeconds: readonly number[];
}

export interface EvaluationLine {
  step: number;
  tokens: number;
  loss: number | null;
}

type Line = Readonly<Record<string, unknown>>;

const MAX_LAYERS = 100;
const MAX_LAGS = 64;
const MAX_GATES = 8;
const MAX_NAME = 40;

export function stepLine({ step, tokens, loss, gradNorm, clipScale, lr }: Line) {
  if (!isCount(step) || !isCount(tokens) || !isNumber(clipScale) || !isNumber(lr)) return;
  if (!isFiniteOrNull(loss) || !isFiniteOrNull(gradNorm)) return;
  return { step, tokens, loss, gradNorm, clipScale, lr } satisfies StepLine;
}

export function timingLine({ step, seconds, phaseSeconds, betweenSeconds, busySeconds }: Line) {
  if (!isCount(step) || !isNumber(seconds) || !isObject(phaseSeconds)) return;
  const between = isObject(betweenSeconds) ? betweenSeconds : {};
  const phases = [phaseSeconds, between].flatMap(Object.entries).filter(isNumberEntry);
  return {
    ...{ step, seconds, phaseSeconds: sumsOf(phases) },
    busySeconds: isNumbers(busySeconds, MAX_BUSY_SHARES) ? busySeconds : [],
  } satisfies TimingLine;
}

/** A step's line, and what came after it. */
export function joinTimings(line: TimingLine, after: TimingLine): TimingLine {
  const phases = [line.phaseSeconds, after.phaseSeconds].flatMap(Object.entries);
  const isKnown = line.busySeconds.length === after.busySeconds.length;
  return {
    ...line,
    phaseSeconds: sumsOf(phases),
    busySeconds: isKnown
      ? line.busySeconds.map((seconds, worker) => seconds + after.busySeconds[worker])
      : [],
  };
}

/** Sums by name. */
function sumsOf(entries: readonly [string, number][]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const [name, value] of entries) sums.set(name, (sums.get(name) ?? 0) + value);
  return Object.fromEntries(sums);
}

function isNumberEntry(entry: [string, unknown]): entry is [string, number] {
  return isNumber(entry[1]);
}

export function evaluationLine({ step, tokens, loss }: Line) {
  if (!isCount(step) || !isCount(tokens) || !isFiniteOrNull(loss)) return;
  return { step, tokens, loss } satisfies EvaluationLine;
}

export function sampleLine({ step, text }: Line) {
  if (!isCount(step) || typeof text !== 'string') return;
  return shortened({ step, text });
}

export function gradientsLine({ step, layers }: Line) {
  if (!isCount(step)) return;
  const known = listOf(layers, MAX_LAYERS, layerGradients);
  return known && ({ step, layers: known } satisfies GradientsPoint);
}

function layerGradients(value: Line) {
  const { layer, gradientNorm, updateRatio } = value;
  if (!isName(layer) || !isFiniteOrNull(gradientNorm) || !isFiniteOrNull(updateRatio)) return;
  return {
    layer,
    gradientNorm,
    updateRatio,
    normByLag: listOf(value.normByLag, MAX_LAGS, ({ lag, norm }) =>
      isCount(lag) && isFiniteOrNull(norm) ? { lag, norm } : undefined,
    ),
    saturation: listOf(value.saturation, MAX_GATES, ({ gate, share }) =>
      isName(gate) && isNumber(share) ? { gate, share } : undefined,
    ),
  } satisfies LayerPoint;
}

/** Undefined where it is no list, is too long, or has an item that is not what it should be. */
function listOf<Item>(
  value: unknown,
  limit: number,
  itemOf: (item: Line) => Item | undefined,
): Item[] | undefined {
  if (!Array.isArray(value) || value.length > limit) return;
  const items = value.flatMap((item) => (isObject(item) ? (itemOf(item) ?? []) : []));
  return items.length === value.length ? (items as Item[]) : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function isNumbers(value: unknown, limit: number): value is number[] {
  return Array.isArray(value) && value.length <= limit && value.every(isNumber);
}

function isFiniteOrNull(value: unknown): value is number | null {
  return value === null || isNumber(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME;
}

function isObject(value: unknown): value is Line {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
