/** Why something is not shown, and which flag shows it. Pure. */
import { formatCount } from '../../numbers.ts';
import type { Snapshot } from '../protocol.ts';
import { isOver } from './run-view.ts';

export function missingGradients(now: Readonly<Snapshot>): string {
  return missing(now, '--gradients-every', 'Gradients were not measured', 'measurement');
}

export function missingSamples(now: Readonly<Snapshot>): string {
  return missing(now, '--sample-every', 'No text was drawn', 'sample');
}

function missing(
  { run, state }: Readonly<Snapshot>,
  flag: string,
  what: string,
  item: string,
): string {
  const value = run.settings.find((setting) => setting.flag === flag)?.value;
  const off = value === undefined || value === '' || value === '0';
  if (off) return `${what} in this run. Train with ${flag} 100 to see them here.`;
  if (run.totalSteps > 0 && Number(value) > run.totalSteps) {
    return `${what}: ${flag} ${value} is more than the ${formatCount(run.totalSteps)} steps of this run.`;
  }
  if (!isOver(state)) {
    return `The first ${item} comes with step ${value} (${flag} ${value}).`;
  }
  return `${what}: the run ended before ${flag} ${value} asked for it.`;
}
