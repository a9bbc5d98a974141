/** All dashboards, by the name of their file. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { gradientsDashboard } from './gradients/dashboard.ts';
import { scalingDashboard } from './scaling/dashboard.ts';
import { trainingDashboard } from './training/dashboard.ts';

export const DASHBOARDS: Readonly<Record<string, () => Dashboard>> = {
  'training.json': trainingDashboard,
  'scaling.json': scalingDashboard,
  'gradients.json': gradientsDashboard,
};
