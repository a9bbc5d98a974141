/** The parts with curves over steps: loss, throughput, gradient norm, learning rate. */
import { formatCount, formatNumber, formatShare, formatTick } from '../../numbers.ts';
import type { Point, Snapshot } from '../protocol.ts';
import { isOver } from '../view/run-view.ts';
import { smooth } from '../view/smoothing.ts';
import { logSwitch, smoothingSlider } from './controls.ts';
import { CurvesPart } from './curves-part.ts';
import type { Part } from './part.ts';
import type { Column } from './plot.ts';

const NO_STEP = 'No step has been taken yet.';

export function lossPart(): Part {
  const log = logSwitch('loss-log', false, () => part.redraw());
  const smoothing = smoothingSlider('loss-smoothing', () => part.redraw());
  const part: CurvesPart = new CurvesPart({
    id: 'loss',
    title: 'Loss',
    unit: 'nats a token',
    wide: true,
    height: 320,
    topics: ['run', 'kind', 'points', 'evaluations'],
    controls: [smoothing.element, log.element],
    curves: () => [
      { name: 'highest', colour: '--c1', format: formatLoss, look: 'edge' },
      { name: 'lowest', colour: '--c1', format: formatLoss, look: 'edge' },
      { name: 'train', colour: '--c1', format: formatLoss, look: 'faint' },
      { name: 'smoothed', colour: '--c1', format: formatLoss },
      { name: 'validation', colour: '--c2', format: formatLoss, look: 'points' },
    ],
    read: (now) => readLoss(now, smoothing.window, log.on),
  });
  return part;
}

function readLoss(now: Readonly<Snapshot>, window: number, log: boolean) {
  const { points, evaluations } = now;
  if (points.length === 0 && evaluations.length === 0) return NO_STEP;
  const smoothed = smooth(
    points.map(({ loss }) => loss),
    points.map(({ steps }) => steps),
    window,
  );
  const steps = [...new Set([...points, ...evaluations].map(({ step }) => step))].sort(
    (a, b) => a - b,
  );
  const at = placed(steps, points);
  const validation = placed(steps, evaluations);
  return {
    steps,
    log,
    values: [
      at((_, point) => point.highestLoss),
      at((_, point) => point.lowestLoss),
      at((_, point) => point.loss),
      at((i) => smoothed[i]),
      validation((_, { loss }) => loss),
    ],
    summary: lossSummary(now),
  };
}

/** Columns over `steps` of what is known at some of them. */
function placed<Item extends { step: number }>(steps: readonly number[], items: readonly Item[]) {
  const places = new Map(items.map((item, i) => [item.step, i]));
  return (value: (index: number, item: Item) => number | null): Column =>
    steps.map((step) => {
      const index = places.get(step);
      return index === undefined ? undefined : value(index, items[index]);
    });
}

function lossSummary({ points, evaluations, state }: Readonly<Snapshot>): string {
  const [first, last] = [points.find(({ loss }) => loss !== null), points.at(-1)];
  const train =
    last && first
      ? `Training loss ${lossText(last.loss)} at step ${formatCount(last.step)}, ${lossText(first.loss)} at step ${formatCount(first.step)}. `
      : '';
  const best = evaluations.findLast((evaluation) => evaluation.best);
  const validation = evaluations.at(-1);
  if (!validation) return `${train}${isOver(state) ? 'No validation.' : 'No validation so far.'}`;
  const lowest = best ? `; best ${lossText(best.loss)} after ${formatCount(best.step)}` : '';
  return `${train}Validation ${lossText(validation.loss)} after ${formatCount(validation.step)} steps${lowest}.`;
}

export function throughputPart(): Part {
  return new CurvesPart({
    id: 'throughput',
    title: 'Throughput',
    unit: 'tokens a second',
    topics: ['points'],
    fromZero: true,
    curves: () => [{ name: 'tokens/s', colour: '--c4', format: formatCount }],
    read: ({ points }) => {
      if (points.length === 0) return NO_STEP;
      const rates = points.map(({ tokensPerSecond }) => tokensPerSecond);
      const mean = weightedMean(points, ({ tokensPerSecond }) => tokensPerSecond);
      return {
        steps: points.map(({ step }) => step),
        values: [rates],
        summary: `${formatCount(rates.at(-1) ?? 0)} tokens a second at the last step, ${formatCount(mean)} in the mean of all steps.`,
      };
    },
  });
}

export function gradientNormPart(): Part {
  const log = logSwitch('norm-log', true, () => part.redraw());
  const part: CurvesPart = new CurvesPart({
    id: 'norm',
    title: 'Gradient norm',
    unit: 'before clipping',
    topics: ['run', 'points'],
    controls: [log.element],
    curves: ({ run: { clipNorm } }) => [
      { name: 'highest', colour: '--c3', format: formatNumber, look: 'faint' },
      { name: 'norm', colour: '--c3', format: formatNumber },
      ...(clipNorm === null
        ? []
        : [
            {
              name: 'clipped above',
              colour: '--c5',
              format: formatNumber,
              look: 'dashed' as const,
            },
          ]),
    ],
    read: ({ points, run: { clipNorm } }) => {
      if (points.length === 0) return NO_STEP;
      const positive = (value: number | null) => (value !== null && value <= 0 ? null : value);
      const columns: Column[] = [
        points.map(({ highestGradNorm }) => positive(highestGradNorm)),
        points.map(({ gradNorm }) => positive(gradNorm)),
      ];
      if (clipNorm !== null) columns.push(points.map(() => clipNorm));
      return {
        steps: points.map(({ step }) => step),
        log: log.on,
        values: columns,
        summary: normSummary(points, clipNorm),
      };
    },
  });
  return part;
}

function normSummary(points: readonly Point[], clipNorm: number | null): string {
  const norm = points.at(-1)?.gradNorm ?? null;
  const latest = norm === null ? 'The norm is not finite.' : `The norm is ${formatNumber(norm)}.`;
  if (clipNorm === null) return `${latest} Clipping by norm is off.`;
  const share = weightedMean(points, ({ clippedShare }) => clippedShare);
  return `${latest} ${formatShare(share)} of all steps were clipped to ${formatNumber(clipNorm)}.`;
}

export function learningRatePart(): Part {
  return new CurvesPart({
    id: 'rate',
    title: 'Learning rate',
    topics: ['points'],
    fromZero: true,
    formatAxis: formatTick,
    curves: () => [{ name: 'learning rate', colour: '--c6', format: formatNumber }],
    read: ({ points }) => {
      if (points.length === 0) return NO_STEP;
      const rates = points.map(({ learningRate }) => learningRate);
      return {
        steps: points.map(({ step }) => step),
        values: [rates],
        summary: `${formatNumber(rates.at(-1) ?? 0)} at the last step, ${formatNumber(Math.max(...rates))} at its highest.`,
      };
    },
  });
}

function weightedMean(points: readonly Point[], value: (point: Point) => number): number {
  const steps = points.reduce((sum, point) => sum + point.steps, 0);
  return points.reduce((sum, point) => sum + value(point) * point.steps, 0) / steps;
}

function lossText(nats: number | null): string {
  return nats === null ? 'is not finite' : formatLoss(nats);
}

function formatLoss(nats: number): string {
  return nats.toFixed(4);
}
