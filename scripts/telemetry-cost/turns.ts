/** Two trainings, one watched and one not, that take turns: how much longer the watched one takes for its own. */
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Settings } from '../../src/config/config.ts';
import { type Program, startProgram } from '../http-load/program.ts';
import type { Trainee, Turn } from './training.ts';
import type { Watched } from './watcher.ts';

export const GRADIENTS_EVERY = 100;
/** Steps of a turn: short, so that the machine is the same to both. */
export const WINDOW_STEPS = 25;
/** Turns before the clock starts, in which V8 compiles what they use: once, however long the run. */
export const WARM_UP_TURNS = 4;
export const MODEL = { hidden: 256, layers: 2, batch: 64, chunk: 64 } as const;
/** Of the processor's time in its turns: what a training may take while the other one has its. */
const MOST_STILL = 0.01;
const TELEMETRY = {
  off: { metrics: false, gradientsEvery: 0 },
  on: { metrics: true, metricsPort: 0, gradientsEvery: GRADIENTS_EVERY },
} as const;

export type Name = keyof typeof TELEMETRY;
/** Of what a turn took with telemetry to one without. */
export type Ratio = Pick<Turn, 'seconds' | 'processorSeconds'>;

type Trainings = Map<Name, Training>;
type TurnOfEach = Readonly<Record<Name, Turn>>;

interface Training {
  program: Program;
  /** Scrapes it during its turns, and takes its events. */
  watcher: Program | undefined;
}

/** Starts two processes in the order of the names; their times on / off turn by turn, and what was seen of the watched one. */
export async function measurePair(
  names: readonly Name[],
  file: string,
  folder: string,
  steps: number,
): Promise<{ ratios: Ratio[]; watched: Watched }> {
  const trainings: Trainings = new Map();
  try {
    for (const name of names) {
      trainings.set(name, await startTraining(file, join(folder, name), TELEMETRY[name]));
    }
    await takeTurns(trainings, WARM_UP_TURNS);
    const turns = await takeTurns(trainings, steps / WINDOW_STEPS);
    checkStandstill(turns);
    return { ratios: turns.map(ratioOf), watched: await watchedOf(trainings.get('on')) };
  } finally {
    const programs = [...trainings.values()].flatMap(({ program, watcher }) =>
      watcher ? [program, watcher] : program,
    );
    for (const { child } of programs) child.kill('SIGKILL');
    await Promise.all(programs.map(({ closed }) => closed));
  }
}

/** A turn of each, so many times. */
async function takeTurns(trainings: Trainings, times: number): Promise<TurnOfEach[]> {
  const taken: TurnOfEach[] = [];
  const order = [...trainings];
  for (let i = 0; i < times; i++) {
    const turns = new Map<Name, Turn>();
    for (const [name, training] of order) turns.set(name, await turn(training));
    taken.push({ on: turns.get('on')!, off: turns.get('off')! });
    // Off and on, on and off: a machine that gets slower favours neither.
    order.reverse();
  }
  return taken;
}

/** What that with telemetry took in units of the other. */
function ratioOf({ on, off }: TurnOfEach): Ratio {
  return {
    seconds: on.seconds / off.seconds,
    processorSeconds: on.processorSeconds / off.processorSeconds,
  };
}

/** Throws where one of the trainings computed in the other's turns, which cost that one. */
function checkStandstill(turns: readonly TurnOfEach[]): void {
  for (const name of ['on', 'off'] as const) {
    const sum = (figure: 'stillSeconds' | 'processorSeconds') =>
      turns.reduce((total, turn) => total + turn[name][figure], 0);
    const [still, busy] = [sum('stillSeconds'), sum('processorSeconds')];
    if (still <= MOST_STILL * busy) continue;
    throw new Error(
      `Expected the training with telemetry ${name} to stand still between its turns, ` +
        `but it took ${still.toFixed(3)} s of the processor there and ${busy.toFixed(3)} s in them`,
    );
  }
}

/** A run without end that stands still before its first step, watched where it has metrics. */
async function startTraining(file: string, run: string, telemetry: Settings): Promise<Training> {
  const settings: Settings = {
    ...MODEL,
    ...telemetry,
    ...{ files: [file], run, force: true, epochs: 1_000_000 },
    ...{ valFraction: 0, checkpointEvery: 0 },
  };
  const trainee: Trainee = { settings, steps: WINDOW_STEPS };
  const program = startProgram('../telemetry-cost/training.js', [JSON.stringify(trainee)]);
  const [, metricsUrl] = await program.shows(/^metrics(?: (http\S+))?$/m);
  const watcher = metricsUrl
    ? startProgram('../telemetry-cost/watcher.js', [metricsUrl])
    : undefined;
  return { program, watcher };
}

/** Trains for a turn. */
async function turn({ program: { child, closed }, watcher }: Training): Promise<Turn> {
  const output = once(child.stdout, 'data');
  child.stdin.write('\n');
  watcher?.child.stdin.write('on\n');
  const [line] = await Promise.race([output, closed.then(() => [''])]);
  watcher?.child.stdin.write('off\n');
  if (line === '') throw new Error('The training ended before its last step');
  return JSON.parse(line);
}

/** What the watcher saw, which ends by it. Throws where it was told nothing. */
async function watchedOf(training: Training | undefined): Promise<Watched> {
  if (!training?.watcher) throw new Error('Nobody watched the training');
  const { child } = training.watcher;
  child.stdin.end();
  const watched: Watched = JSON.parse(await text(child.stdout));
  if (watched.scrapes > 0 && watched.eventBytes > 0) return watched;
  throw new Error(`The training answered nothing: ${JSON.stringify(watched)}`);
}
