/** The one screen before training: what is trained, on what, with which memory and kernels. */
import { formatBytes } from '../bytes.ts';
import type { RunPlan } from '../recipes/reports.ts';
import { VERSION } from '../version.ts';
import { formatCount, formatRows } from './output.ts';

export function formatPlan(plan: RunPlan): string {
  const { config } = plan;
  const symbols = config.tokens === 'byte' ? 'bytes' : 'characters';
  const memory = [...plan.memory]
    .filter(([, bytes]) => bytes >= 0.02 * plan.arenaBytes)
    .map(([part, bytes]) => `${part} ${formatBytes(bytes)}`);
  const notNative = plan.notNative ? ` (no native ones: ${plan.notNative})` : '';
  const cell = config.cell === 'rnn' ? `rnn (${config.activation})` : config.cell;
  const rows: [string, string][] = [
    [
      'model',
      `${cell} ${config.layers}×${config.hidden}, embedding ${config.embed}, ${formatCount(plan.parameters)} parameters`,
    ],
    [
      'text',
      `${formatCount(plan.trainSymbols)} ${symbols} to train on, ${formatCount(plan.valSymbols)} to validate on, vocabulary ${plan.vocabulary}`,
    ],
    [
      'steps',
      `${formatCount(plan.stepsPerEpoch)} an epoch of ${config.batch} streams × ${config.chunk} time steps, ${formatLength(plan)}`,
    ],
    [
      'memory',
      `${formatBytes(plan.arenaBytes)} of arena (${memory.join(', ')}) and ${formatBytes(plan.baseBytes)} of Node.js`,
    ],
    [
      'compute',
      `${plan.workers} workers, ${plan.lanes} lanes, ${plan.variant} kernels${notNative}`,
    ],
    ['run', plan.run],
    ['watch it', plan.pageUrl ?? 'off'],
    ['metrics', plan.metricsUrl ?? 'off'],
  ];
  return `threadloom ${VERSION}\n${formatRows(rows)}`;
}

function formatLength({ config, totalSteps, firstStep }: RunPlan): string {
  const from = firstStep > 0 ? `going on from step ${formatCount(firstStep)} of ` : 'in all ';
  const limit = config.maxMinutes === undefined ? '' : ` or ${config.maxMinutes} minutes`;
  return `${from}${formatCount(totalSteps)}${limit}`;
}
