/**
 * The machine of the pool on every order of events: a model of threads, which knows nothing of the machine, does what the machine
 * says and lets happen all that can happen to a thread.
 */
import test from 'ava';
import { afterEvent, type Command, type FanOutEvent } from '../../src/pool/fan-out.ts';
import {
  canGiveAhead,
  type FanOut,
  MAX_DEATHS,
  newFanOut,
  outcomeOf,
} from '../../src/pool/fan-out-state.ts';

/** Number of a stage, over all work, and of a task in it. */
type Place = readonly [stage: number, index: number];

/** What a thread was given at once: tasks of one work, in order of stage; and how many of them are done. */
interface Given {
  work: number;
  share: Place[];
  done: number;
  /** Stages are passed by themselves; the first one too, where it waits for the work before. */
  gated: boolean;
  waitsFirst: boolean;
}

interface Thread {
  alive: boolean;
  loaded: boolean;
  /** Told to end, or seen to fail. */
  doomed: boolean;
  given: Given[];
  /** It has begun the next task of the first of them, and may be writing. */
  inside: boolean;
}

/** All there is: the machine, the world it acts on, and how far the work has come. */
interface World {
  machine: FanOut;
  threads: Thread[];
  /** The work at hand, of which tasks are given out over all stages at once, or those of one stage. */
  work: number;
  stage: number | 'together';
  shares: Place[][];
  /** The next work has been given out, or may yet be. */
  ahead: 'given' | 'possible' | 'none';
  /** By stage and task: how often each was completed, and took a thread down. */
  completed: number[][];
  deaths: number[][];
  /** By stage: what its gate has counted. By work: nobody may pass its gates any more. */
  arrived: number[];
  recalled: boolean[];
  /** Deaths that may still happen. */
  deathsLeft: number;
}

type ThreadEvent = Extract<FanOutEvent, { slot: number }>;
/** What can happen: something that the machine is told, or something between threads of which it knows nothing. */
interface Happening {
  kind: ThreadEvent['kind'] | 'enter' | 'complete' | 'completeAndEnd' | 'giveAhead';
  slot: number;
}

interface Explored {
  states: number;
  endings: Map<string, number>;
}

interface Setting {
  threads: number;
  /** Of each work. */
  stages: number;
  works: number;
  deaths: number;
  /** Whether all threads have loaded at the start. */
  loaded: boolean;
}

/** Tasks of a share of work given ahead that may be begun before that work is at hand. */
const REVOCABLE = 1;

/** Tasks of each stage: ranges may be fewer than threads. */
const sizesOf = (threads: number, stages: number) =>
  [threads, Math.max(1, threads - 1), threads].slice(0, stages);

/** Lets everything happen, in every order. */
function explore(setting: Setting): Explored {
  const { stages } = setting;
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
    for (const happening of happenings) visit(happen(world, happening, stages));
    seen.set(key, 'closed');
  };
  visit(newWorld(setting));
  return { states: seen.size, endings };
}

function newWorld({ threads, stages, works, deaths, loaded }: Setting): World {
  const thread = { alive: true, loaded, doomed: false, inside: false };
  const sizes = Array.from({ length: works }, () => sizesOf(threads, stages)).flat();
  const zeros = () => sizes.map((size) => new Array<number>(size).fill(0));
  let machine = newFanOut(threads);
  for (let slot = 0; loaded && slot < threads; slot++) {
    machine = afterEvent(machine, { kind: 'ready', slot }).state;
  }
  const world: World = {
    machine,
    threads: Array.from({ length: threads }, () => ({ ...thread, given: [] })),
    work: 0,
    stage: 0,
    shares: [],
    ahead: works > 1 ? 'possible' : 'none',
    completed: zeros(),
    deaths: zeros(),
    arrived: sizes.map(() => 0),
    recalled: new Array<boolean>(works).fill(false),
    deathsLeft: deaths,
  };
  return beginWork(world, stages);
}

function endOf({ machine: { failure }, ...world }: World, outcome: 'done' | 'failed'): string {
  const writing = world.threads.filter(({ alive, inside }) => alive && inside);
  check(failure?.kind === 'stuck' || writing.length === 0, 'an end while a task is written');
  if (outcome === 'done') return 'committed';
  if (failure?.kind === 'deadly') {
    const [[stage, index]] = world.shares[failure.share];
    check(world.deaths[stage][index] === MAX_DEATHS, 'too few deaths');
  }
  return String(failure?.kind);
}

/** What can happen next to the threads as they are. */
function possible(world: World): Happening[] {
  const kinds = (thread: Thread): Happening['kind'][] => {
    if (!thread.alive) return [];
    const [given] = thread.given;
    const own = given ? doable(world, thread, given) : thread.loaded ? [] : ['ready' as const];
    // What is doomed may have answered before, and ends, or does not.
    if (thread.doomed) return [...own, 'ended', 'stuck'];
    if (world.deathsLeft === 0) return own;
    const between = given?.gated && thread.inside ? ['completeAndEnd' as const] : [];
    return [...own, ...between, 'broken', 'ended'];
  };
  const ofThreads = world.threads.flatMap((thread, slot) =>
    kinds(thread).map((kind) => ({ kind, slot })),
  );
  const canGive = world.ahead === 'possible' && world.work === 0 && canGiveAhead(world.machine);
  return canGive ? [...ofThreads, { kind: 'giveAhead', slot: -1 }] : ofThreads;
}

/** What a thread can do with what it was given first. */
function doable(world: World, { inside }: Thread, given: Given): Happening['kind'][] {
  if (!given.gated) return ['done', 'refused'];
  if (inside) return ['complete', 'refused'];
  const next = given.share[given.done];
  if (!next) return ['done'];
  const [stage] = next;
  if (given.done === 0 && !given.waitsFirst) return ['enter'];
  const isOfWorkBefore = given.done === 0;
  if (world.recalled[isOfWorkBefore ? given.work - 1 : given.work]) return ['done'];
  if (given.work > world.work && given.done >= REVOCABLE) return [];
  return world.arrived[stage - 1] >= world.completed[stage - 1].length ? ['enter'] : [];
}

function happen(before: World, { kind, slot }: Happening, stages: number): World {
  const world = copyOf(before);
  if (kind === 'giveAhead') return giveAhead(world, stages);
  const thread = world.threads[slot];
  const dies = kind === 'broken' || kind === 'ended' || kind === 'completeAndEnd';
  if (dies && !thread.doomed) world.deathsLeft--;
  if (kind === 'enter') return enter(world, thread);
  if (kind === 'complete') return arrive(world, complete(world, thread));
  if (kind === 'completeAndEnd') complete(world, thread);
  const event = { kind: kind === 'completeAndEnd' ? 'ended' : kind, slot } as const;
  return tell(world, thread, event, stages);
}

/** What becomes of the thread, and what the machine makes of it. */
function tell(world: World, thread: Thread, event: ThreadEvent, stages: number): World {
  if (event.kind === 'ready') thread.loaded = true;
  if (event.kind === 'broken') thread.doomed = true;
  if (event.kind === 'done' && !thread.given[0].gated) complete(world, thread);
  if (event.kind === 'refused') world.recalled.fill(true);
  if (event.kind === 'done' || event.kind === 'refused') {
    thread.given.shift();
    beginPlain(world, thread);
  }
  if (event.kind === 'ended') end(world, thread);
  return proceed(obey(world, event), stages);
}

function copyOf(world: World): World {
  return {
    ...world,
    threads: world.threads.map((thread) => ({
      ...thread,
      given: thread.given.map((given) => ({ ...given })),
    })),
    completed: world.completed.map((tasks) => [...tasks]),
    deaths: world.deaths.map((tasks) => [...tasks]),
    arrived: [...world.arrived],
    recalled: [...world.recalled],
  };
}

function enter(world: World, thread: Thread): World {
  const [{ share, done }] = thread.given;
  const [stage, index] = share[done];
  const before = world.completed.slice(0, stage).flat();
  check(
    before.every((times) => times === 1),
    'a stage that begins before the one before it is done',
  );
  check(world.completed[stage][index] === 0, 'a task that is done again');
  thread.inside = true;
  return world;
}

/** What waits for nothing is begun at once. */
function beginPlain(world: World, thread: Thread): void {
  thread.inside = false;
  if (thread.given[0]?.gated === false) enter(world, thread);
}

/** Returns the stage. */
function complete(world: World, thread: Thread): number {
  const [given] = thread.given;
  const [stage, index] = given.share[given.done];
  world.completed[stage][index]++;
  given.done++;
  thread.inside = false;
  return stage;
}

function arrive(world: World, stage: number): World {
  world.arrived[stage]++;
  return world;
}

function end(world: World, thread: Thread): void {
  if (thread.inside) {
    const [{ share, done }] = thread.given;
    const [stage, index] = share[done];
    world.deaths[stage][index]++;
  }
  Object.assign(thread, { alive: false, given: [], inside: false });
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
    world.recalled.fill(true);
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
    give(world, thread, command.share, command.ahead);
  }
}

function give(world: World, thread: Thread, task: number, ahead: boolean): void {
  const work = ahead ? world.work + 1 : world.work;
  const shares = ahead ? columns(world, work) : world.shares;
  const share = shares[task];
  const isTaken = (other: Thread) =>
    other.given.some((given) => String(given.share) === String(share));
  check(!world.threads.some(isTaken), 'two writers of one range');
  check(
    thread.given.length === 0 || (ahead && thread.given.length === 1),
    'too many tasks at once',
  );
  const gated = ahead || world.stage === 'together';
  thread.given.push({ work, share, done: 0, gated, waitsFirst: ahead });
  if (thread.given.length === 1) beginPlain(world, thread);
}

/** Tasks of a work by thread. */
function columns({ threads, completed, recalled }: World, work: number): Place[][] {
  const stages = completed.length / recalled.length;
  return threads.map((_, slot) =>
    Array.from({ length: stages }, (_, i) => work * stages + i).flatMap((stage): Place[] =>
      slot < completed[stage].length ? [[stage, slot]] : [],
    ),
  );
}

function giveAhead(world: World, stages: number): World {
  openGates(world, 1, stages);
  world.ahead = 'given';
  return obey(world, { kind: 'giveAhead', shares: world.threads.length });
}

function openGates(world: World, work: number, stages: number): void {
  world.recalled[work] = false;
  world.arrived.fill(0, work * stages, (work + 1) * stages);
}

/** Goes on with what is missing, stage by stage, where nothing is under way; then with the next work, until all is done. */
function proceed(world: World, stages: number): World {
  while (outcomeOf(world.machine) === 'done') {
    const end = (world.work + 1) * stages;
    const next = world.completed.findIndex((tasks, stage) => stage < end && tasks.includes(0));
    if (next >= 0) {
      check(world.stage === 'together' || world.stage < next, 'a stage with a missing task');
      world.stage = next;
      beginPhase(world);
    } else if (end < world.completed.length) {
      world.work++;
      beginWork(world, stages);
    } else return world;
  }
  return world;
}

function beginWork(world: World, stages: number): World {
  const { work, machine } = world;
  world.stage = 'together';
  world.shares = columns(world, work);
  if (world.ahead === 'given' && work > 0) return obey(world, { kind: 'advance' });
  const allIdle = machine.slots.every(({ thread }) => thread === 'idle');
  if (!allIdle) world.stage = work * stages;
  openGates(world, work, stages);
  return beginPhase(world);
}

function beginPhase(world: World): World {
  const { stage, work, completed } = world;
  const together = stage === 'together';
  world.shares = together
    ? columns(world, work)
    : completed[stage].flatMap((times, index): Place[][] =>
        times === 0 ? [[[stage, index]]] : [],
      );
  const deaths = world.shares.map(([[s, index]]) => world.deaths[s][index]);
  return obey(world, { kind: 'begin', deaths, together });
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`The machine allows ${what}`);
}

const everyOrder = test.macro({
  title: (_, { threads, stages, works, deaths, loaded }: Setting) =>
    `threads ${threads}, ${works} works of ${stages} stages, deaths ${deaths}, ${loaded ? 'all loaded' : 'from their start'}: in every order of replies, deaths and hangs the work ends, no range has two writers, no task is missing or early`,
  exec(t, setting: Setting) {
    const { threads, deaths, loaded } = setting;
    const { states, endings } = explore(setting);
    t.log(states, endings);
    const lost = deaths < MAX_DEATHS * threads + (loaded ? threads : 0) ? [] : ['lost'];
    const deadly = deaths < MAX_DEATHS ? [] : ['deadly'];
    t.deepEqual([...endings.keys()].sort(), ['committed', ...deadly, ...lost, 'refused', 'stuck']);
  },
});

test(everyOrder, { threads: 1, works: 1, stages: 3, deaths: 12, loaded: false });
test(everyOrder, { threads: 2, works: 1, stages: 3, deaths: 6, loaded: false });
test(everyOrder, { threads: 3, works: 1, stages: 1, deaths: 4, loaded: false });
test(everyOrder, { threads: 3, works: 1, stages: 3, deaths: 2, loaded: true });
test(everyOrder, { threads: 1, works: 2, stages: 3, deaths: 8, loaded: true });
test(everyOrder, { threads: 2, works: 2, stages: 3, deaths: 3, loaded: true });
test(everyOrder, { threads: 3, works: 2, stages: 2, deaths: 2, loaded: true });
