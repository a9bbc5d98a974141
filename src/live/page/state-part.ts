/** Where the run stands: progress, and the numbers of now. */
import { formatCount, formatDuration, formatNumber } from '../../numbers.ts';
import type { RunState, Snapshot } from '../protocol.ts';
import { element, setText } from './elements.ts';
import type { Part } from './part.ts';
import { type Tile, tileList } from './tiles.ts';

const STATES: Record<RunState['kind'], string> = {
  starting: 'starting',
  training: 'training',
  finished: 'finished',
  stopped: 'stopped before its end',
  failed: 'failed',
};

export function statePart(): Part {
  const progress = element('progress', { 'aria-label': 'Steps done' });
  const reason = element('p', { class: 'reason' });
  const tiles = tileList(TILES);
  const whole = element(
    'section',
    { class: 'state', 'aria-label': 'State of the run' },
    progress,
    reason,
    tiles.element,
  );
  return {
    element: whole,
    topics: ['run', 'state', 'points', 'evaluations'],
    draw(now) {
      progress.max = Math.max(1, now.run.totalSteps);
      progress.value = now.state.kind === 'finished' ? progress.max : now.state.step;
      reason.hidden = now.state.message === undefined;
      setText(reason, now.state.message ?? '');
      tiles.show(now);
      document.title = titleOf(now);
    },
  };
}

/** `training`, `failed` … in words. */
export function stateName({ kind }: RunState): string {
  return STATES[kind];
}

const TILES: readonly Tile[] = [
  ['Step', ({ state, run }) => [formatCount(state.step), goalOf(run.totalSteps, state)]],
  [
    'Time left',
    ({ state }) => [state.secondsLeft === null ? '–' : formatDuration(state.secondsLeft)],
  ],
  ['Training loss', ({ points }) => lossTile(points.at(-1)?.loss)],
  ['Validation loss', ({ evaluations }) => lossTile(evaluations.at(-1)?.loss)],
  [
    'Tokens a second',
    ({ points }) => {
      const last = points.at(-1);
      return last
        ? [formatCount(last.tokensPerSecond), `${formatCount(last.tokens)} in all`]
        : ['–'];
    },
  ],
  [
    'Gradient norm',
    ({ points, run }) => {
      const norm = points.at(-1)?.gradNorm;
      const note =
        run.clipNorm === null ? 'not clipped' : `clipped above ${formatNumber(run.clipNorm)}`;
      return [typeof norm === 'number' ? formatNumber(norm) : '–', note];
    },
  ],
];

/** A run that was given a time ends before its steps do; one that starts does not know them yet. */
function goalOf(totalSteps: number, { kind, step }: RunState): string {
  if (totalSteps === 0) return '';
  const early = kind === 'finished' && step < totalSteps;
  return `${early ? 'of at most' : 'of'} ${formatCount(totalSteps)}`;
}

function lossTile(nats: number | null | undefined): [string, string?] {
  if (nats === undefined) return ['–'];
  if (nats === null) return ['not finite'];
  return [nats.toFixed(4), `${(nats / Math.LN2).toFixed(3)} bits a token`];
}

function titleOf({ run, state }: Readonly<Snapshot>): string {
  const share = Math.floor((100 * state.step) / Math.max(1, run.totalSteps));
  return `${state.kind === 'training' ? `${share}%` : state.kind} · ${run.run} · Threadloom`;
}
