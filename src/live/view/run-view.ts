/** All that a page knows of a run, kept up to date from what it is sent, and bounded as the run bounds it. Pure. */
import { RunHistory } from '../history.ts';
import type { LiveEvents, RunState, Snapshot } from '../protocol.ts';

/** What a part of the page may depend on. `kind`: of the state that alone, which does not change with every step. */
export type Topic = keyof Snapshot | 'kind';

export const TOPICS: readonly Topic[] = [
  'run',
  'state',
  'kind',
  'points',
  'evaluations',
  'gradients',
  'samples',
  'alerts',
  'upkeep',
];

export class RunView {
  #history = new RunHistory();
  #lasting: Pick<Snapshot, 'run' | 'state' | 'alerts' | 'upkeep'>;

  constructor(snapshot: Snapshot) {
    this.#lasting = snapshot;
    this.#begin(snapshot);
  }

  /** What is known now; its lists are read, never kept. */
  get now(): Readonly<Snapshot> {
    const { points, evaluations, gradients, samples } = this.#history;
    return {
      ...this.#lasting,
      points: points as Snapshot['points'],
      evaluations: evaluations as Snapshot['evaluations'],
      gradients: gradients as Snapshot['gradients'],
      samples: samples as Snapshot['samples'],
    };
  }

  /** Takes one event in. Returns what has changed. What is known already is not taken again. */
  apply<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): readonly Topic[] {
    return this.#effects[name](data);
  }

  readonly #effects: { [Name in keyof LiveEvents]: (data: LiveEvents[Name]) => readonly Topic[] } =
    {
      snapshot: (snapshot) => {
        this.#lasting = snapshot;
        this.#begin(snapshot);
        return TOPICS;
      },
      points: (points) => {
        const fresh = newer(points, this.#history.points);
        for (const point of fresh) this.#history.addPoint(point);
        return fresh.length > 0 ? ['points'] : [];
      },
      completed: (point) => {
        if (point.step !== this.#history.points.at(-1)?.step) return [];
        this.#history.completePoint(point);
        return ['points'];
      },
      evaluation: (evaluation) => {
        const fresh = newer([evaluation], this.#history.evaluations);
        for (const item of fresh) this.#history.addEvaluation(item);
        return fresh.length > 0 ? ['evaluations'] : [];
      },
      gradients: (gradients) => {
        const fresh = newer([gradients], this.#history.gradients);
        for (const item of fresh) this.#history.addGradients(item);
        return fresh.length > 0 ? ['gradients'] : [];
      },
      sample: (sample) => {
        const fresh = newer([sample], this.#history.samples);
        for (const item of fresh) this.#history.addSample(item);
        return fresh.length > 0 ? ['samples'] : [];
      },
      alerts: (alerts) => {
        this.#lasting = { ...this.#lasting, alerts };
        return ['alerts'];
      },
      upkeep: (upkeep) => {
        this.#lasting = { ...this.#lasting, upkeep };
        return ['upkeep'];
      },
      state: (state) => {
        const isOfKind = state.kind === this.#lasting.state.kind;
        this.#lasting = { ...this.#lasting, state };
        return isOfKind ? ['state'] : ['state', 'kind'];
      },
    };

  #begin({ points, evaluations, gradients, samples }: Snapshot): void {
    this.#history = new RunHistory();
    for (const point of points) this.#history.addPoint(point);
    for (const evaluation of evaluations) this.#history.addEvaluation(evaluation);
    for (const record of gradients) this.#history.addGradients(record);
    for (const sample of samples) this.#history.addSample(sample);
  }
}

function newer<Item extends { step: number }>(items: Item[], known: readonly Item[]): Item[] {
  const last = known.at(-1)?.step ?? -1;
  return items.filter(({ step }) => step > last);
}

/** Whether nothing more is to come of a run. */
export function isOver({ kind }: RunState): boolean {
  return kind !== 'starting' && kind !== 'training';
}
