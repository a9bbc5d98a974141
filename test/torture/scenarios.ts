/** What `npm run torture` does, in turn. */
import { killAndResume } from './process-kills.ts';
import type { ScenarioReport } from './report.ts';
import { killThreadsOfRun, killWorkersOfSteps } from './thread-kills.ts';

export interface Scenario {
  name: string;
  /** The same seed does the same kills, to the jobs of threads; moments of time aside. */
  run(seed: number): Promise<ScenarioReport>;
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'workers die in steps', run: killWorkersOfSteps },
  { name: 'threads die in runs', run: killThreadsOfRun },
  { name: 'SIGKILL of the process', run: killAndResume },
];
