/** What the rules for Prometheus and the live page have to judge alike. */
import type { AlertName } from '../../src/live/protocol.ts';

/** So long it goes on. */
export const SITUATION_SECONDS = 2700;

export interface Situation {
  alert: AlertName;
  title: string;
  /** At its end. */
  fires: boolean;
  /** Norms at the lags 0, 1, 2, 4 and so on, all the while. */
  normByLag?: readonly number[];
  /** Shares of the time in each phase, all the while. */
  phaseShares?: Readonly<Record<string, number>>;
  /** Seconds from the start of the run at which one was written. */
  checkpoints?: readonly number[];
}

export const SITUATIONS: readonly Situation[] = [
  {
    alert: 'ThreadloomGradientsVanishing',
    title: 'faintest at the last lag',
    fires: true,
    normByLag: [1, 1e-4, 1e-7],
  },
  {
    alert: 'ThreadloomGradientsVanishing',
    title: 'faintest at a lag between',
    fires: true,
    normByLag: [1, 1e-7, 1e-5],
  },
  {
    alert: 'ThreadloomGradientsVanishing',
    title: 'two millionths are left',
    fires: false,
    normByLag: [1, 1e-3, 2e-6],
  },
  {
    alert: 'ThreadloomLoaderStarving',
    title: 'a quarter of a step, with long validations between the steps',
    fires: true,
    phaseShares: { load: 0.05, compute: 0.15, evaluate: 0.8 },
  },
  {
    alert: 'ThreadloomLoaderStarving',
    title: 'a sixth of a step',
    fires: false,
    phaseShares: { load: 0.15, compute: 0.6, reduce: 0.15, evaluate: 0.1 },
  },
  {
    alert: 'ThreadloomCheckpointStale',
    title: 'every three minutes, then none',
    fires: true,
    checkpoints: [0, 180, 360, 540],
  },
  {
    alert: 'ThreadloomCheckpointStale',
    title: 'at the start, and at no validation since',
    fires: true,
    checkpoints: [0],
  },
  {
    alert: 'ThreadloomCheckpointStale',
    title: 'every quarter of an hour, one left out',
    fires: false,
    checkpoints: [0, 900],
  },
];
