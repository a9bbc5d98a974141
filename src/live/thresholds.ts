/** From where on something is an alert. Pure. The rules for Prometheus have the same, where they can. */
export const THRESHOLDS = {
  /** No step for so long, and for so many mean steps; no end of a validation for so many of the longest one. */
  noProgressSeconds: 60,
  noProgressSteps: 20,
  noProgressValidations: 3,
  /** No first step for so long. */
  noFirstStepSeconds: 900,

  /** Steps with a smoothed loss of so many times the lowest one, and so many nats above it. */
  divergingSteps: 50,
  divergingRatio: 1.5,
  divergingNats: 0.1,
  /** The mean over about so many steps. */
  smoothingSteps: 20,

  /** Gradient norm at the faintest lag, in units of that at lag 0. */
  vanishingRatio: 1e-6,
  /** That of any lag; and the norm of a step in units of the median. */
  explodingLagRatio: 1e3,
  explodingNormRatio: 100,
  explodingMinimumSteps: 50,

  /** What counts as now: so much time of training, and so many steps. */
  recentSeconds: 30,
  recentSteps: 10,

  /** Busy time of the slowest worker in units of the median, and what of a step lies between. */
  stragglerRatio: 1.5,
  stragglerShare: 0.2,
  /** Share of a step that waits for text. */
  loadShare: 0.2,
  /** How long a restart is told. */
  restartSeconds: 600,

  /** Age of the last checkpoint: so long, and so many times as long as they have lain apart; before the second as if so far. */
  staleSeconds: 600,
  staleIntervals: 3,
  unknownIntervalSeconds: 600,
} as const;
