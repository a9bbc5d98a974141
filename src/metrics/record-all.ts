/** Several recorders as one. */
import type { Recorder } from './records.ts';

/** Tells all of them, in order. */
export function recordAll(recorders: readonly Recorder[]): Recorder {
  const tell = (each: (recorder: Recorder) => void) => {
    for (const recorder of recorders) each(recorder);
  };
  return {
    recordRun: (run) => tell((recorder) => recorder.recordRun(run)),
    recordStep: (step) => tell((recorder) => recorder.recordStep(step)),
    recordEvaluationBegin: () => tell((recorder) => recorder.recordEvaluationBegin()),
    recordEvaluation: (loss) => tell((recorder) => recorder.recordEvaluation(loss)),
    recordGradients: (gradients) => tell((recorder) => recorder.recordGradients(gradients)),
    recordSample: (sample) => tell((recorder) => recorder.recordSample(sample)),
    recordPhase: (phase, seconds) => tell((recorder) => recorder.recordPhase(phase, seconds)),
    recordPool: (pool) => tell((recorder) => recorder.recordPool(pool)),
    recordCheckpoint: (checkpoint) => tell((recorder) => recorder.recordCheckpoint(checkpoint)),
    recordCheckpointFailure: () => tell((recorder) => recorder.recordCheckpointFailure()),
    recordCheckpointSkipped: () => tell((recorder) => recorder.recordCheckpointSkipped()),
    recordPendingLogs: (bytes) => tell((recorder) => recorder.recordPendingLogs(bytes)),
    recordNotFinite: () => tell((recorder) => recorder.recordNotFinite()),
    recordFailure: () => tell((recorder) => recorder.recordFailure()),
    recordEnd: () => tell((recorder) => recorder.recordEnd()),
  };
}
