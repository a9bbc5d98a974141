/** Checkpoints and memory: what would be lost now, and what the run takes. */
import { formatBytes } from '../../bytes.ts';
import { formatCount, formatDuration } from '../../numbers.ts';
import type { Snapshot } from '../protocol.ts';
import { type Part, section } from './part.ts';
import { type Tile, tileList } from './tiles.ts';

const AGE_MILLISECONDS = 1_000;
const NOT_KEPT = 'not kept in the logs';

export function upkeepPart(isReport: boolean): Part {
  const whole = section({ id: 'upkeep', title: 'Checkpoints and memory', wide: true });
  const tiles = tileList(tilesOf(isReport));
  whole.append(tiles.element);
  let last: Readonly<Snapshot> | undefined;
  // An age grows by itself.
  setInterval(() => last && tiles.show(last), AGE_MILLISECONDS);
  return {
    element: whole,
    topics: ['upkeep'],
    draw(now) {
      last = now;
      tiles.show(now);
    },
  };
}

function tilesOf(isReport: boolean): Tile[] {
  const missing = isReport ? NOT_KEPT : '';
  return [
    [
      'Last checkpoint',
      ({ upkeep: { checkpoint } }) =>
        checkpoint ? [`${ageOf(checkpoint.time)} ago`, dateOf(checkpoint.time)] : ['–', 'none yet'],
    ],
    [
      'Its size',
      ({ upkeep: { checkpoint } }) => [checkpoint ? formatBytes(checkpoint.bytes) : '–'],
    ],
    [
      'Checkpoints written',
      ({ upkeep: { counts } }) =>
        counts
          ? [formatCount(counts.written), `${formatCount(counts.skipped)} left out, writer busy`]
          : ['–', missing],
    ],
    [
      'Checkpoints failed',
      ({ upkeep: { counts } }) => (counts ? [formatCount(counts.failed)] : ['–', missing]),
    ],
    [
      'Resident memory',
      ({ upkeep: { residentBytes } }) =>
        residentBytes === null
          ? ['–', missing]
          : [formatBytes(residentBytes), 'of the whole process'],
    ],
    [
      'Arena',
      ({ upkeep: { arenaBytes } }) =>
        arenaBytes === null ? ['–', missing] : [formatBytes(arenaBytes), 'shared by the threads'],
    ],
  ];
}

/** By the clock of the reader, which may lag behind the run's. */
function ageOf(time: number): string {
  return formatDuration(Math.max(0, Date.now() / 1000 - time));
}

function dateOf(time: number): string {
  return new Date(time * 1000).toLocaleString(undefined, {
    dateStyle: 'medium',
    timeStyle: 'medium',
  });
}
