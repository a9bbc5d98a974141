/** What `train` and `resume` share: showing the run and its result. */
import { formatBytes } from '../bytes.ts';
import { EXIT_CODES, shellWord } from '../errors.ts';
import type { TrainResult } from '../recipes/reports.ts';
import type { TrainOptions } from '../recipes/train.ts';
import { withInterruption } from './interruption.ts';
import { formatCount, formatDuration, formatLoss, formatRows, printJson, say } from './output.ts';
import { Progress } from './progress.ts';

export interface OutputFlags {
  json?: boolean;
  quiet?: boolean;
}

/** Runs a training with progress on stderr and its result on stdout. Returns the exit code. */
export async function showTraining(
  { json, quiet }: OutputFlags,
  start: (options: TrainOptions) => Promise<TrainResult>,
): Promise<number> {
  const progress = new Progress(process.stderr);
  const onWarning = (message: string) => progress.onWarning(message);
  const result = await withInterruption(
    'Stopping after this step; once more to stop at once.',
    (signal) => {
      const observer = quiet ? { onWarning } : observerOf(progress);
      return start({ ...observer, signal, stdin: process.stdin });
    },
  ).finally(() => progress.end());
  if (json) printJson(result);
  else if (!quiet) process.stdout.write(formatResult(result));
  if (result.interrupted) {
    say(
      `Stopped after step ${result.steps}. Go on with: threadloom resume ${shellWord(result.run)}\n`,
    );
  }
  if (result.failures.length > 0) return EXIT_CODES.failed;
  return result.interrupted ? EXIT_CODES.interrupted : EXIT_CODES.done;
}

function observerOf(progress: Progress): TrainOptions {
  return {
    onPlan: (plan) => progress.onPlan(plan),
    onStep: (step) => progress.onStep(step),
    onEvaluation: (evaluation) => progress.onEvaluation(evaluation),
    onSample: (sample) => progress.onSample(sample),
    onCheckpoint: (checkpoint) => progress.onCheckpoint(checkpoint),
    onWarning: (message) => progress.onWarning(message),
  };
}

function formatResult(result: TrainResult): string {
  const { steps, tokens, seconds, tokensPerSecond, trainLoss, evalLoss, bestEvalLoss } = result;
  const rows: [string, string][] = [
    [
      'trained',
      `${formatCount(steps)} steps, ${formatCount(tokens)} tokens; ${formatDuration(seconds)}, ${formatCount(tokensPerSecond)} tokens/s`,
    ],
    ['train loss', trainLoss === null ? '–' : formatLoss(trainLoss)],
    ['validation', evalLoss === null ? '–' : formatLoss(evalLoss)],
    ...(bestEvalLoss !== null && bestEvalLoss !== evalLoss
      ? ([['best', formatLoss(bestEvalLoss)]] as [string, string][])
      : []),
    ['parameters', `SHA-256 ${result.paramsSha256}`],
    [
      'memory',
      `${formatBytes(result.peakBytes)} at most (planned ${formatBytes(result.plannedBytes)})`,
    ],
    ['checkpoint', result.checkpoint ?? 'none'],
    ['sample it', `threadloom sample ${shellWord(result.run)}`],
  ];
  return formatRows(rows);
}
