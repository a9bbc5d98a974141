/** What several panels divide by. */
import { rate } from '../queries.ts';

/** The phases that every step has. */
export const STEP_PHASES = 'phase=~"load|compute|reduce|clip|update|commit"';
/** Those of them that are handed out to the workers, and those that are the coordinator's own work. */
export const SHARED_PHASES = 'phase=~"compute|reduce|update"';
export const OWN_PHASES = 'phase=~"clip|commit"';

export const ALL_PHASES = rate('threadloom_phase_seconds_sum', STEP_PHASES);
export const IN_STEPS = `(sum by (run) (${ALL_PHASES}) > 0)`;
export const STEPS = `(sum by (run) (${rate('threadloom_steps_total')}) > 0)`;

/** The range of a share. */
export const SHARE = { unit: 'percentunit', min: 0, max: 1 };
