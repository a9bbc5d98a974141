/** What of a run needs a look, by the same names as in the rules for Prometheus. Pure. */
import {
  diverging,
  type Evidence,
  exploding,
  type Finding,
  failing,
  type Look,
  noProgress,
  notFinite,
  restarting,
  stale,
  starving,
  straggler,
  vanishing,
} from './findings.ts';
import type { Alert, AlertName } from './protocol.ts';
import { recentPoints } from './symptoms.ts';

interface Rule {
  name: AlertName;
  severity: Alert['severity'];
  /** Training alone: at an end there is nothing to be done any more. */
  whileTraining: boolean;
  find(look: Look, now: number): Finding | undefined;
  advice: string;
}

/** All that are active; each keeps its beginning from `before`. */
export function activeAlerts(evidence: Evidence, now: number, before: readonly Alert[]): Alert[] {
  const look: Look = { ...evidence, recent: recentPoints(evidence.points) };
  return RULES.flatMap(({ name, severity, whileTraining, find, advice }) => {
    if (whileTraining && evidence.state !== 'training') return [];
    const found = find(look, now);
    if (!found) return [];
    const since = before.find((alert) => alert.name === name)?.since ?? found.since ?? now;
    return [{ name, severity, since, message: found.message, advice }];
  });
}

const RULES: readonly Rule[] = [
  {
    name: 'ThreadloomNoProgress',
    severity: 'critical',
    whileTraining: true,
    find: noProgress,
    advice:
      'See what the machine does: a full disk, swapping, other programs. A thread that hangs is replaced after --worker-timeout.',
  },
  {
    name: 'ThreadloomLossNotFinite',
    severity: 'critical',
    whileTraining: false,
    find: notFinite,
    advice:
      'Resume from the last checkpoint is safe; start again with a smaller --lr, a --warmup, or a smaller --clip-norm.',
  },
  {
    name: 'ThreadloomLossDiverging',
    severity: 'warning',
    whileTraining: false,
    find: diverging,
    advice: 'Use a smaller --lr, a --warmup, or a smaller --clip-norm; best.ckpt is still good.',
  },
  {
    name: 'ThreadloomGradientsVanishing',
    severity: 'warning',
    whileTraining: false,
    find: vanishing,
    advice:
      'Nothing is learned over that distance: use --cell lstm or gru, --init orthogonal, or a shorter --chunk.',
  },
  {
    name: 'ThreadloomGradientsExploding',
    severity: 'warning',
    whileTraining: false,
    find: exploding,
    advice: 'Set --clip-norm (1 is usual), use a smaller --lr, or --init orthogonal.',
  },
  {
    name: 'ThreadloomStraggler',
    severity: 'warning',
    whileTraining: true,
    find: straggler,
    advice:
      'Every step waits for the slowest: free the core of other programs, or make --lanes a multiple of --workers.',
  },
  {
    name: 'ThreadloomWorkerRestarting',
    severity: 'warning',
    whileTraining: true,
    find: restarting,
    advice:
      'The result is not changed, but time is lost: see the warnings of the run, and the memory of the machine.',
  },
  {
    name: 'ThreadloomLoaderStarving',
    severity: 'warning',
    whileTraining: true,
    find: starving,
    advice: 'Put the text on a faster disk, or use a larger --batch or --chunk.',
  },
  {
    name: 'ThreadloomCheckpointStale',
    severity: 'warning',
    whileTraining: true,
    find: stale,
    advice:
      'Were the run to end now, all since then would be lost: see the disk, and --checkpoint-every.',
  },
  {
    name: 'ThreadloomCheckpointFailing',
    severity: 'critical',
    whileTraining: false,
    find: failing,
    advice:
      "Make room on the run's disk, or make it writable: the next checkpoint is tried by itself.",
  },
];
