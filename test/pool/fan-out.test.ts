/**
 * The machine of the pool on every order of events: a model of threads, which knows nothing of the machine, does what the machine
 * says and lets happen all that can happen to a thread.
 */
import test from 'ava';
import { phaseAfter, STEP_PHASES, type StepPhase } from '../../src/coordinator/step-phases.ts';
import {
  afterEvent,
  type Command,
  type FanOut,
  type FanOutEvent,
  MAX_DEATHS,
  newFanOut,
  outcomeOf,
} from '../../src/pool/fan-out.ts';

interface Thread {
  alive: boolean;
  loaded: boolean;
  /** Told to end, or seen to fail. */
  doomed: boolean;
  /** The task it may be writing for. */
  holds: number | null;
}

/** All there is: the machine, the world it acts on, and how far the step has come. */
interface World {
  machine: FanOut;
  threads: Thread[];
  phase: StepPhase;
  /** Tasks of the phase: how often each was completed, and took a thread down. */
  completed: number[];
  deaths: number[];
  /** Deaths that may still happen. */
  deathsLeft: number;
}

interface Explored {
  states: number;
  endings: Map<string, number>;
}

/** Tasks of each phase of a step: the clip is none, and ranges may be fewer than threads. */
const tasksOf = (phase: StepPhase, threads: number) =>
  phase === 'clip' ? 0 : phase === 'reduce' ? Math.max(1, threads - 1) : threads;

/** Lets everything happen, in every order, from the start of the threads on. */
function explore(threads: number, phases: number, deathsLeft: number): Explored {
  const seen = new Map<string, 'open' | 'closed'>();
  const endings = new Map<string, number>();
  const visit = (world: World): void => {
    const key = JSON.stringify(world);
    const known = seen.get(key);
    if (known === 'open') throw new Error(`It can go on for ever: ${key}`);
    if (known) return;
    seen.set(key, 'open');
    const outcome = outcomeOf(world.machine);
    const ending = outcome === 'running' ? undefined : endOf(world, outcome);
    if (ending) endings.set(ending, (endings.get(ending) ?? 0) + 1);
    const events = ending ? [] : possibleEvents(world);
    if (!ending && events.length === 0) throw new Error(`Nothing can happen: ${key}`);
    for (const event of events) visit(happen(world, event, phases));
    seen.set(key, 'closed');
  };
  const machine = newFanOut(threads);
  const thread: Thread = { alive: true, loaded: false, doomed: false, holds: null };
  const all = Array.from({ length: threads }, () => ({ ...thread }));
  visit(begin({ machine, threads: all, phase: 'compute', completed: [], deaths: [], deathsLeft }));
  return { states: seen.size, endings };
}

/** Undefined where the step goes on with its next phase. */
function endOf(world: World, outcome: 'done' | 'failed'): string {
  const { failure } = world.machine;
  if (outcome === 'failed') {
    const writing = world.threads.filter(({ alive, holds }) => alive && holds !== null);
    check(failure?.kind === 'stuck' || writing.length === 0, 'failed while a task is written');
    if (failure?.kind === 'deadly')
      check(world.deaths[failure.task] === MAX_DEATHS, 'too few deaths');
    return String(failure?.kind);
  }
  return 'committed';
}

/** What can happen next to the threads as they are. */
function possibleEvents({ threads, deathsLeft }: World): FanOutEvent[] {
  const kinds = ({ alive, loaded, doomed, holds }: Thread): FanOutEvent['kind'][] => {
    if (!alive) return [];
    const answers: FanOutEvent['kind'][] =
      holds !== null ? ['done', 'refused'] : loaded ? [] : ['ready'];
    // What is doomed may have answered before, and ends, or does not.
    if (doomed) return [...answers, 'ended', 'stuck'];
    return deathsLeft === 0 ? answers : [...answers, 'broken', 'ended'];
  };
  return threads.flatMap((thread, slot) =>
    kinds(thread).map((kind) => ({ kind, slot }) as FanOutEvent),
  );
}

function happen(before: World, event: FanOutEvent, phases: number): World {
  const world: World = {
    ...before,
    threads: before.threads.map((thread) => ({ ...thread })),
    completed: [...before.completed],
    deaths: [...before.deaths],
  };
  if (event.kind === 'begin') throw new Error('Phases begin by themselves');
  const thread = world.threads[event.slot];
  const { holds } = thread;
  if (event.kind === 'ready') thread.loaded = true;
  if (event.kind === 'done' || event.kind === 'refused') {
    if (event.kind === 'done') world.completed[holds as number]++;
    thread.holds = null;
  }
  if (event.kind === 'broken') thread.doomed = true;
  if (event.kind === 'ended') {
    thread.alive = false;
    thread.holds = null;
    if (holds !== null) world.deaths[holds]++;
  }
  const dies = event.kind === 'broken' || event.kind === 'ended';
  if (dies && !before.threads[event.slot].doomed) world.deathsLeft--;
  return proceed(obey(world, event), phases);
}

/** Hands an event to the machine and does what it says. */
function obey(world: World, event: FanOutEvent): World {
  const { state, commands } = afterEvent(world.machine, event);
  world.machine = state;
  for (const command of commands) perform(world, command);
  return world;
}

function perform({ threads, completed }: World, command: Command): void {
  const thread = threads[command.slot];
  if (command.kind === 'start') {
    check(!thread.alive, 'a second thread in one slot');
    Object.assign(thread, { alive: true, loaded: false, doomed: false, holds: null });
  } else if (command.kind === 'end') {
    thread.doomed = true;
  } else {
    check(thread.alive && thread.loaded && !thread.doomed, 'a task that nobody can do');
    check(thread.holds === null, 'two tasks for one thread');
    const written = threads.some(({ alive, holds }) => alive && holds === command.task);
    check(!written, 'two writers of one range');
    check(completed[command.task] === 0, 'a task that is done is done again');
    thread.holds = command.task;
  }
}

/** Goes on with the next phase where one is complete, until the step is committed. */
function proceed(world: World, phases: number): World {
  while (outcomeOf(world.machine) === 'done') {
    check(
      world.completed.every((times) => times === 1),
      'a phase with a missing shard',
    );
    const results = world.completed.map((times) => times === 1 || undefined);
    const next = phaseAfter(world.phase, world.completed.length, results);
    if (next === 'committed' || STEP_PHASES.indexOf(next) >= phases) return world;
    world.phase = next;
    begin(world);
  }
  return world;
}

function begin(world: World): World {
  const tasks = tasksOf(world.phase, world.threads.length);
  world.completed = new Array(tasks).fill(0);
  world.deaths = new Array(tasks).fill(0);
  return obey(world, { kind: 'begin', tasks });
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The machine allows ${what}`);
}

const everyOrder = test.macro({
  title: (_, threads, phases, deaths) =>
    `threads ${threads}, phases ${phases}, deaths ${deaths}: in every order of replies, deaths and hangs a step ends, no range has two writers, no shard is missing`,
  exec(t, threads: number, phases: number, deaths: number) {
    const { states, endings } = explore(threads, phases, deaths);
    t.log(states, endings);
    const lost = deaths < MAX_DEATHS * threads ? [] : ['lost'];
    t.deepEqual([...endings.keys()].sort(), ['committed', 'deadly', ...lost, 'refused', 'stuck']);
  },
});

test(everyOrder, 1, 5, 12);
test(everyOrder, 2, 5, 6);
test(everyOrder, 3, 5, 3);
test(everyOrder, 3, 1, 4);
