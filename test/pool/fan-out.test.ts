/**
 * The machine of the pool on every order of events: a model of threads, which knows nothing of the machine, does what the machine
 * says and lets happen all that can happen to a thread.
 */
import test from 'ava';
import {
  afterEvent,
  type Command,
  type FanOut,
  type FanOutEvent,
  MAX_DEATHS,
  newFanOut,
  outcomeOf,
} from '../../src/pool/fan-out.ts';

/** Number of a stage, and of a task in it. */
type Place = readonly [stage: number, index: number];

interface Thread {
  alive: boolean;
  loaded: boolean;
  /** Told to end, or seen to fail. */
  doomed: boolean;
  /** What it was given: tasks in order of stage, and how many of them are done. */
  share: number | null;
  done: number;
  /** It has begun the next of them, and may be writing. */
  inside: boolean;
}

/** All there is: the machine, the world it acts on, and how far the work has come. */
interface World {
  machine: FanOut;
  threads: Thread[];
  /** Tasks are given out in shares over all stages, or those of one stage. */
  stage: number | 'together';
  shares: Place[][];
  /** By stage and task: how often each was completed, and took a thread down. */
  completed: number[][];
  deaths: number[][];
  /** By stage: what the gate has counted; and whether nobody may pass it any more. */
  arrived: number[];
  recalled: boolean;
  /** Deaths that may still happen. */
  deathsLeft: number;
}

type ThreadEvent = Exclude<FanOutEvent, { kind: 'begin' }>;
/** What can happen: something that the machine is told, or something between threads of which it knows nothing. */
interface Happening {
  kind: ThreadEvent['kind'] | 'enter' | 'complete' | 'completeAndEnd';
  slot: number;
}

interface Explored {
  states: number;
  endings: Map<string, number>;
}

/** Tasks of each stage: ranges may be fewer than threads. */
const sizesOf = (threads: number, stages: number) =>
  [threads, Math.max(1, threads - 1), threads].slice(0, stages);

/** Lets everything happen, in every order, from the start of the threads on, or from when all have loaded. */
function explore(threads: number, stages: number, deathsLeft: number, loaded: boolean): Explored {
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
    const happenings = ending ? [] : possible(world);
    if (!ending && happenings.length === 0) throw new Error(`Nothing can happen: ${key}`);
    for (const happening of happenings) visit(happen(world, happening));
    seen.set(key, 'closed');
  };
  visit(begin(newWorld(threads, stages, deathsLeft, loaded)));
  return { states: seen.size, endings };
}

function newWorld(threads: number, stages: number, deathsLeft: number, loaded: boolean): World {
  const thread = { alive: true, loaded, doomed: false, share: null, done: 0, inside: false };
  const sizes = sizesOf(threads, stages);
  const zeros = () => sizes.map((size) => new Array<number>(size).fill(0));
  let machine = newFanOut(threads);
  for (let slot = 0; loaded && slot < threads; slot++) {
    machine = afterEvent(machine, { kind: 'ready', slot }).state;
  }
  return {
    machine,
    threads: Array.from({ length: threads }, () => ({ ...thread })),
    stage: loaded ? 'together' : 0,
    shares: [],
    completed: zeros(),
    deaths: zeros(),
    arrived: sizes.map(() => 0),
    recalled: false,
    deathsLeft,
  };
}

function endOf({ machine: { failure }, ...world }: World, outcome: 'done' | 'failed'): string {
  if (outcome === 'done') return 'committed';
  const writing = world.threads.filter(({ alive, inside }) => alive && inside);
  check(failure?.kind === 'stuck' || writing.length === 0, 'failed while a task is written');
  if (failure?.kind === 'deadly') {
    const [[stage, index]] = world.shares[failure.task];
    check(world.deaths[stage][index] === MAX_DEATHS, 'too few deaths');
  }
  return String(failure?.kind);
}

/** What can happen next to the threads as they are. */
function possible(world: World): Happening[] {
  const kinds = (thread: Thread): Happening['kind'][] => {
    if (!thread.alive) return [];
    const own =
      thread.share === null ? (thread.loaded ? [] : ['ready' as const]) : doable(world, thread);
    // What is doomed may have answered before, and ends, or does not.
    if (thread.doomed) return [...own, 'ended', 'stuck'];
    if (world.deathsLeft === 0) return own;
    const between = world.stage === 'together' && thread.inside ? ['completeAndEnd' as const] : [];
    return [...own, ...between, 'broken', 'ended'];
  };
  return world.threads.flatMap((thread, slot) => kinds(thread).map((kind) => ({ kind, slot })));
}

/** What a thread can do with its share. */
function doable(world: World, { share, done, inside }: Thread): Happening['kind'][] {
  if (world.stage !== 'together') return ['done', 'refused'];
  if (inside) return ['complete', 'refused'];
  const next = world.shares[share as number][done];
  if (!next) return ['done'];
  const [stage] = next;
  const open = stage === 0 || world.arrived[stage - 1] >= world.completed[stage - 1].length;
  if (world.recalled) return stage === 0 ? ['done', 'enter'] : ['done'];
  return open ? ['enter'] : [];
}

function happen(before: World, { kind, slot }: Happening): World {
  const world = copyOf(before);
  const thread = world.threads[slot];
  const dies = kind === 'broken' || kind === 'ended' || kind === 'completeAndEnd';
  if (dies && !thread.doomed) world.deathsLeft--;
  if (kind === 'enter') return enter(world, thread);
  if (kind === 'complete') return arrive(world, complete(world, thread));
  if (kind === 'completeAndEnd') {
    complete(world, thread);
    return tell(world, thread, { kind: 'ended', slot });
  }
  return tell(world, thread, { kind, slot });
}

/** What becomes of the thread, and what the machine makes of it. */
function tell(world: World, thread: Thread, event: ThreadEvent): World {
  if (event.kind === 'ready') thread.loaded = true;
  if (event.kind === 'broken') thread.doomed = true;
  if (event.kind === 'done' && world.stage !== 'together') complete(world, thread);
  if (event.kind === 'refused') world.recalled = true;
  if (event.kind === 'done' || event.kind === 'refused') putDown(thread);
  if (event.kind === 'ended') end(world, thread);
  return proceed(obey(world, event));
}

function copyOf(world: World): World {
  return {
    ...world,
    threads: world.threads.map((thread) => ({ ...thread })),
    completed: world.completed.map((tasks) => [...tasks]),
    deaths: world.deaths.map((tasks) => [...tasks]),
    arrived: [...world.arrived],
  };
}

function enter(world: World, thread: Thread): World {
  const [stage, index] = world.shares[thread.share as number][thread.done];
  checkBegun(world, [stage, index]);
  thread.inside = true;
  return world;
}

/** What must hold where a thread begins to write. */
function checkBegun({ completed }: World, [stage, index]: Place): void {
  const before = completed.slice(0, stage).flat();
  check(
    before.every((times) => times === 1),
    'a stage begins before the one before it is done',
  );
  check(completed[stage][index] === 0, 'a task that is done is done again');
}

/** Returns the stage. */
function complete(world: World, thread: Thread): number {
  const [stage, index] = world.shares[thread.share as number][thread.done];
  world.completed[stage][index]++;
  thread.done++;
  thread.inside = false;
  return stage;
}

function arrive(world: World, stage: number): World {
  world.arrived[stage]++;
  return world;
}

function putDown(thread: Thread): void {
  Object.assign(thread, { share: null, done: 0, inside: false });
}

function end(world: World, thread: Thread): void {
  const next = thread.share === null ? undefined : world.shares[thread.share][thread.done];
  if (next) world.deaths[next[0]][next[1]]++;
  thread.alive = false;
  putDown(thread);
}

/** Hands an event to the machine and does what it says. */
function obey(world: World, event: FanOutEvent): World {
  const { state, commands } = afterEvent(world.machine, event);
  world.machine = state;
  for (const command of commands) perform(world, command);
  return world;
}

function perform(world: World, command: Command): void {
  if (command.kind === 'recall') {
    world.recalled = true;
    return;
  }
  const thread = world.threads[command.slot];
  if (command.kind === 'start') {
    check(!thread.alive, 'a second thread in one slot');
    Object.assign(thread, { alive: true, loaded: false, doomed: false });
  } else if (command.kind === 'end') {
    thread.doomed = true;
  } else {
    check(thread.alive && thread.loaded && !thread.doomed, 'a task that nobody can do');
    check(thread.share === null, 'two tasks for one thread');
    const taken = world.threads.some(({ alive, share }) => alive && share === command.task);
    check(!taken, 'two writers of one range');
    Object.assign(thread, { share: command.task, done: 0, inside: world.stage !== 'together' });
    if (world.stage !== 'together') checkBegun(world, world.shares[command.task][0]);
  }
}

/** Goes on with what is missing, stage by stage, where nothing is under way; until all is done. */
function proceed(world: World): World {
  while (outcomeOf(world.machine) === 'done') {
    const next = world.completed.findIndex((tasks) => tasks.includes(0));
    if (next < 0) return world;
    check(world.stage === 'together' || world.stage < next, 'a stage with a missing task');
    world.stage = next;
    begin(world);
  }
  return world;
}

function begin(world: World): World {
  const { stage, completed } = world;
  const places = completed.map((tasks, s) => tasks.map((_, index): Place => [s, index]));
  world.shares =
    stage === 'together'
      ? world.threads.map((_, slot) => places.flatMap((tasks) => tasks.slice(slot, slot + 1)))
      : places[stage].filter(([, index]) => completed[stage][index] === 0).map((place) => [place]);
  const deaths = world.shares.map(([[s, index]]) => world.deaths[s][index]);
  return obey(world, { kind: 'begin', deaths, together: stage === 'together' });
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The machine allows ${what}`);
}

const everyOrder = test.macro({
  title: (_, threads, stages, deaths, loaded) =>
    `threads ${threads}, stages ${stages}, deaths ${deaths}, ${loaded ? 'all loaded' : 'from their start'}: in every order of replies, deaths and hangs the work ends, no range has two writers, no task is missing or early`,
  exec(t, threads: number, stages: number, deaths: number, loaded: boolean) {
    const { states, endings } = explore(threads, stages, deaths, loaded);
    t.log(states, endings);
    const lost = deaths < MAX_DEATHS * threads + (loaded ? threads : 0) ? [] : ['lost'];
    t.deepEqual([...endings.keys()].sort(), ['committed', 'deadly', ...lost, 'refused', 'stuck']);
  },
});

test(everyOrder, 1, 3, 12, false);
test(everyOrder, 2, 3, 6, false);
test(everyOrder, 3, 3, 3, false);
test(everyOrder, 3, 1, 4, false);
test(everyOrder, 1, 3, 8, true);
test(everyOrder, 2, 3, 4, true);
test(everyOrder, 3, 3, 3, true);
