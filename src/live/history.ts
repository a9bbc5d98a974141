/** What a run has been so far, within bounds: curves, validations, gradients and samples. Pure. */
import type { SampleRecord } from '../metrics/records.ts';
import { EvenSeries } from './even-series.ts';
import { PointSeries } from './points.ts';
import type { EvaluationPoint, GradientsPoint, Point, Snapshot } from './protocol.ts';

const MAX_EVALUATIONS = 2000;
const MAX_GRADIENTS = 500;
/** The first one, and the latest. */
const MAX_SAMPLES = 50;

export class RunHistory {
  readonly #points = new PointSeries();
  readonly #evaluations = new EvenSeries<EvaluationPoint>(MAX_EVALUATIONS, lower);
  readonly #gradients = new EvenSeries<GradientsPoint>(MAX_GRADIENTS, (_, later) => later);
  readonly #samples: SampleRecord[] = [];

  get points(): readonly Point[] {
    return this.#points.points;
  }

  get evaluations(): readonly EvaluationPoint[] {
    return this.#evaluations.items;
  }

  get gradients(): readonly GradientsPoint[] {
    return this.#gradients.items;
  }

  get samples(): readonly SampleRecord[] {
    return this.#samples;
  }

  addPoint(point: Point): void {
    this.#points.add(point);
  }

  /** The newest step with what has come after it. */
  completePoint(point: Point): void {
    this.#points.replaceNewest(point);
  }

  addEvaluation(evaluation: EvaluationPoint): void {
    this.#evaluations.add(evaluation);
  }

  addGradients(gradients: GradientsPoint): void {
    this.#gradients.add(gradients);
  }

  addSample(sample: SampleRecord): void {
    this.#samples.push(sample);
    if (this.#samples.length > MAX_SAMPLES) this.#samples.splice(1, 1);
  }

  /** As it is sent; lists of their own. */
  toLists(): Pick<Snapshot, 'points' | 'evaluations' | 'gradients' | 'samples'> {
    return {
      points: this.points.map(rounded),
      evaluations: [...this.evaluations],
      gradients: [...this.gradients],
      samples: [...this.#samples],
    };
  }
}

/** What is not to be held against the logs, to microseconds and thousandths: a third of the digits. */
export function rounded(point: Point): Point {
  return {
    ...point,
    tokensPerSecond: Math.round(point.tokensPerSecond),
    phaseSeconds: point.phaseSeconds.map((seconds) => Math.round(seconds * 1e6) / 1e6),
    busyShares: point.busyShares.map((share) => Math.round(share * 1e3) / 1e3),
  };
}

/** The best one must not be lost. */
function lower(earlier: EvaluationPoint, later: EvaluationPoint): EvaluationPoint {
  const [loss, laterLoss] = [earlier, later].map((each) => each.loss ?? Number.POSITIVE_INFINITY);
  return loss <= laterLoss ? earlier : later;
}
