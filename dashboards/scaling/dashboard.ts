/** Where does the time go? */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from '../frame.ts';
import { arithmeticPanels } from './arithmetic.ts';
import { efficiencyPanels } from './efficiency.ts';
import { glancePanels } from './glance.ts';
import { phasePanels } from './phases.ts';
import { surroundingPanels } from './surroundings.ts';
import { workerPanels } from './workers.ts';

export function scalingDashboard(): Dashboard {
  return dashboard({
    uid: 'threadloom-scaling',
    title: 'Threadloom / Scaling',
    description:
      'Where does the time go, and what do more workers bring? Of one run, and over all of them.',
    severalRuns: false,
    sections: [
      { title: 'At a glance', panels: glancePanels() },
      { title: 'Where the time of a step goes', panels: phasePanels() },
      { title: 'Workers', panels: workerPanels() },
      { title: 'Arithmetic', panels: arithmeticPanels() },
      { title: 'Loader, main thread and memory', panels: surroundingPanels() },
      { title: 'All runs: what more workers bring', panels: efficiencyPanels() },
    ],
  });
}
