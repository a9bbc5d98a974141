/** Is it learning? */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard } from '../frame.ts';
import { alertPanel, runPanel } from './alerts.ts';
import { checkpointPanels } from './checkpoints.ts';
import { learningPanels } from './learning.ts';
import { statePanels } from './state.ts';
import { pacePanels, stepPanels } from './steps.ts';

export function trainingDashboard(): Dashboard {
  return dashboard({
    uid: 'threadloom-training',
    title: 'Threadloom / Training',
    description:
      'Is it learning? Losses, gradient, pace, checkpoints and alerts of one or more runs.',
    severalRuns: true,
    sections: [
      { title: 'State', panels: statePanels() },
      { title: 'Is it learning?', panels: learningPanels() },
      { title: 'The steps', panels: stepPanels() },
      { title: 'Pace', panels: pacePanels() },
      { title: 'Checkpoints', panels: checkpointPanels() },
      { title: 'Alerts and runs', panels: [alertPanel(), runPanel()] },
    ],
  });
}
