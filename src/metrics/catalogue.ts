/** Every metric of a run in one place: name, unit, help, labels, an example query. */
import { checkpoints, coordination, data, memory, run } from './running-catalogue.ts';
import { gradients, throughput, training } from './training-catalogue.ts';

/** What every step consists of. */
export const STEP_PHASES = ['load', 'compute', 'reduce', 'clip', 'update', 'commit'] as const;
/** Those of them that are tasks of the pool. */
export const TASK_PHASES = ['compute', 'reduce', 'update'] as const satisfies readonly Phase[];

/** Where the time of a run goes, beside its steps too; the values of the label `phase`. */
export const PHASES = [...STEP_PHASES, 'snapshot', 'gradients', 'sample', 'evaluate'] as const;
export type Phase = (typeof PHASES)[number];

/** In the order of the README's table. */
export const CATALOGUE = {
  ...training,
  ...gradients,
  ...throughput,
  ...coordination,
  ...data,
  ...memory,
  ...checkpoints,
  ...run,
};
