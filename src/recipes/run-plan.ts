/** What follows from configuration and text before anything starts: the model's sizes and the run's length. Pure. */
import type { Config, Settings } from '../config/config.ts';
import { planEvaluation, planTraining, type StreamPlan, splitText } from '../data/streams.ts';
import type { ModelSpec } from '../model/spec.ts';
import type { CorpusIndex, StreamsRequest } from '../pool/actor-protocol.ts';

export interface RunShape {
  readonly training: StreamPlan;
  readonly trainingSource: StreamsRequest;
  /** Absent where no text is kept for validation. */
  readonly evaluation?: { readonly plan: StreamPlan; readonly source: StreamsRequest };
  /** Steps after which the run ends, and after which its schedule has run out. */
  readonly totalSteps: number;
  readonly horizon: number;
}

export function modelSpec(config: Config, vocabulary: number): ModelSpec {
  const { cell, activation, hidden, layers, embed, dropout } = config;
  return { cell, activation: activation ?? 'tanh', hidden, layers, embed, dropout, vocabulary };
}

/** What of the text the plan follows from. */
export type TextSizes = Pick<CorpusIndex, 'trainSymbols' | 'valSymbols'> & {
  /** Files that are validated on, not trained on. */
  val: readonly unknown[];
};

/** Throws InputError where the text is too short. `totals` replace the configured length, not the horizon. */
export function planRun(
  config: Config,
  index: TextSizes,
  totals: Pick<Settings, 'steps' | 'epochs'> = {},
): RunShape {
  const ownValidation = index.val.length > 0;
  const split = splitText(index.trainSymbols, ownValidation ? 0 : (config.valFraction ?? 0));
  const training = planTraining(split.train, config.batch, config.chunk);
  const evaluated = ownValidation
    ? { side: 'val' as const, first: 0, count: index.valSymbols }
    : { side: 'train' as const, first: split.train, count: split.val };
  const horizon = totalSteps(config, training.chunks);
  const replaced = totals.steps !== undefined || totals.epochs !== undefined;
  return {
    training,
    trainingSource: { side: 'train', first: 0, count: split.train, streams: config.batch },
    evaluation: evaluated.count > 0 ? evaluation(config, evaluated) : undefined,
    horizon,
    totalSteps: replaced ? totalSteps(totals, training.chunks) : horizon,
  };
}

function evaluation(config: Config, source: Omit<StreamsRequest, 'streams'>) {
  const plan = planEvaluation(source.count, config.evalStreams, config.chunk);
  return { plan, source: { ...source, streams: plan.streams } };
}

/** Both totals bound the run, where both are given. */
function totalSteps({ steps, epochs }: Pick<Settings, 'steps' | 'epochs'>, chunks: number): number {
  return Math.min(steps ?? Number.POSITIVE_INFINITY, (epochs ?? Number.POSITIVE_INFINITY) * chunks);
}
