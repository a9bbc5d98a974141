/** When steps are told, to log and telemetry: at once, or in a moment, together with those that end until then. */
import { type RunTelemetry, TELL_MILLISECONDS } from './run-telemetry.ts';

export class StepTeller {
  readonly #telemetry: Pick<RunTelemetry, 'hasUntold' | 'tellSteps'>;
  #timer: NodeJS.Timeout | undefined;
  /** What telling threw, where it did. */
  #notTold: { error: unknown } | undefined;

  constructor(telemetry: Pick<RunTelemetry, 'hasUntold' | 'tellSteps'>) {
    this.#telemetry = telemetry;
  }

  /** Should no step begin that they could be told with: each wake-up of its own takes a core from the pool. */
  tellSoon(): void {
    if (!this.#telemetry.hasUntold) return;
    this.#timer ??= setTimeout(() => this.tellNow(), TELL_MILLISECONDS).unref();
  }

  /** Throws nothing, since the pool may be computing: the step under way must end before anything else is asked of it. */
  tellNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      this.#telemetry.tellSteps();
    } catch (error) {
      this.#notTold ??= { error };
    }
  }

  /** Throws what kept steps from being told. */
  rethrow(): void {
    if (this.#notTold) throw this.#notTold.error;
  }
}
