/** Shows a run on standard error: the plan, one line that is rewritten (or plain lines where there is no terminal), notes. */
import { clearLine, cursorTo } from 'node:readline';
import type { WriteStream } from 'node:tty';
import { printable } from '../errors.ts';
import type {
  CheckpointReport,
  EvaluationReport,
  RunPlan,
  SampleReport,
  StepReport,
  TrainObserver,
} from '../recipes/reports.ts';
import { formatCount, formatDuration, formatLoss, say } from './output.ts';
import { formatPlan } from './plan-screen.ts';

/** Between two redrawings of the line, and between two plain lines. */
const REDRAW_SECONDS = 0.1;
const PLAIN_SECONDS = 5;

export class Progress implements TrainObserver {
  readonly #stream: WriteStream;
  #lastDrawn = 0;
  #drawn = false;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  onPlan(plan: RunPlan): void {
    this.#note(formatPlan(plan));
  }

  onStep(step: StepReport): void {
    const now = performance.now() / 1000;
    const every = this.#stream.isTTY ? REDRAW_SECONDS : PLAIN_SECONDS;
    if (now - this.#lastDrawn < every && step.step < step.totalSteps) return;
    this.#lastDrawn = now;
    const line = formatStep(step);
    if (!this.#stream.isTTY) {
      this.#say(`${line}\n`);
      return;
    }
    this.#clear();
    this.#say(line.slice(0, Math.max(20, this.#stream.columns - 1)));
    this.#drawn = true;
  }

  onEvaluation({ step, loss, best }: EvaluationReport): void {
    const mark = best && step > 0 ? ' · best so far' : '';
    this.#note(`validation after ${formatCount(step)} steps: ${formatLoss(loss)}${mark}\n`);
  }

  onSample({ step, text }: SampleReport): void {
    const lines = text.split('\n').map((line) => `  ${printable(line)}\n`);
    this.#note(`sample after ${formatCount(step)} steps:\n${lines.join('')}`);
  }

  onCheckpoint(_checkpoint: CheckpointReport): void {
    // Told by the metrics and at the end; a line for each would drown the rest.
  }

  onWarning(message: string): void {
    this.#note(`warning: ${printable(message)}\n`);
  }

  /** Leaves the last line standing. */
  end(): void {
    if (this.#drawn) this.#say('\n');
    this.#drawn = false;
  }

  #note(text: string): void {
    this.#clear();
    this.#say(text);
  }

  #say(text: string): void {
    say(text, this.#stream);
  }

  #clear(): void {
    if (!this.#drawn) return;
    cursorTo(this.#stream, 0);
    clearLine(this.#stream, 0);
    this.#drawn = false;
  }
}

function formatStep(step: StepReport): string {
  return [
    `step ${formatCount(step.step)}/${formatCount(step.totalSteps)}`,
    `epoch ${step.epoch}`,
    `loss ${step.loss.toFixed(4)}`,
    `${formatCount(step.tokensPerSecond)} tokens/s`,
    `gradient norm ${step.gradNorm.toPrecision(3)}`,
    `ETA ${formatDuration(step.secondsLeft)}`,
  ].join(' · ');
}
