/** Do gradients vanish or explode, do gates saturate? */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboard, labelVariable } from '../frame.ts';
import { glancePanels } from './glance.ts';
import { gatePanels, layerPanels } from './layers.ts';
import { BY_LAG, lagHeatmap, lagPanels } from './through-time.ts';

export function gradientsDashboard(): Dashboard {
  return dashboard({
    uid: 'threadloom-gradients',
    title: 'Threadloom / Gradients',
    description:
      'Do gradients vanish or explode through time and layers, do gates saturate? Taken every --gradients-every steps.',
    severalRuns: false,
    variables: [
      labelVariable('layer', `label_values(${BY_LAG}{job=~"$job", run=~"$run"}, layer)`, {
        description: 'Recurrent layer, 0 the lowest.',
        several: true,
      }),
    ],
    sections: [
      { title: 'At a glance', panels: glancePanels() },
      { title: 'Through time', panels: [lagHeatmap()] },
      { title: 'Vanishing and exploding', panels: lagPanels() },
      { title: 'Layers', panels: layerPanels() },
      { title: 'Gates and clipping', panels: gatePanels() },
    ],
  });
}
