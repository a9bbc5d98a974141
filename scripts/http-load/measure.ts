/**
 * What scrapers cost a training: the same run with and without them, in alternating pairs. Run as `npm run http-load`, on an
 * idle machine. All traffic is to 127.0.0.1.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT_CODES } from '../../src/errors.ts';
import { numberOf, runWithFlags, wholeOf } from '../flags.ts';
import type { LoadPlan, LoadReport, Usage } from './clients.ts';
import { type Program, startProgram } from './program.ts';
import {
  type Control,
  describe,
  type Outcome,
  type Pace,
  type Pair,
  report,
  shortfallsOf,
} from './report.ts';

const LOAD = {
  scrapesPerSecond: 200,
  slowConnections: 200,
  hostilePerSecond: 20,
  listeners: 4,
} as const;
const WARM_UP_SECONDS = 3;
/** After a switch, before the clock starts: connections open, caches fill. */
const SETTLE_SECONDS = 0.5;
const MODEL = ['--hidden', '256', '--layers', '2', '--batch', '64', '--chunk', '64'];

const HELP = `npm run http-load

Trains, and compares the steps a second under load with those without, in alternating pairs. What the clients do themselves, which
would be elsewhere, is burnt on the same cores in the halves without load too. The load, all at once:
${LOAD.scrapesPerSecond} scrapes a second, ${LOAD.slowConnections} slow connections, ${LOAD.hostilePerSecond} requests a second with 64 KiB of headers, ${LOAD.hostilePerSecond} scrapes a second that
are aborted, and ${LOAD.listeners} live pages that are loaded anew each second. Ends with 1 where it costs too much or could not be applied.

  --pairs    how many (8)
  --seconds  time of each half of a pair (3)
  --new      a new connection for each scrape; else connections are kept
  --idle     leave the cores idle in the halves without load: then what the clients do themselves is in the cost
`;

const FLAGS = {
  pairs: { type: 'string', default: '8' },
  seconds: { type: 'string', default: '3' },
  new: { type: 'boolean', default: false },
  idle: { type: 'boolean', default: false },
} as const;

/** `seconds`: of each half of a pair. */
interface Measurement {
  pairs: number;
  seconds: number;
  connections: 'new' | 'kept';
  /** What the process of the clients does without load. */
  control: Control;
}

await runWithFlags(HELP, FLAGS, (flags) =>
  measure({
    pairs: wholeOf('pairs', flags.pairs, { least: 1 }),
    seconds: numberOf('seconds', flags.seconds, { least: 0.1, most: 60 }),
    connections: flags.new ? 'new' : 'kept',
    control: flags.idle ? 'idle' : 'burn',
  }),
);

async function measure({ pairs, seconds, connections, control }: Measurement): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'threadloom-http-load-'));
  const loadBefore = loadavg()[0];
  const programs: Program[] = [];
  try {
    const training = startTraining(folder);
    programs.push(training);
    const [, port] = await training.shows(/metrics +http:\/\/127\.0\.0\.1:(\d+)\//);
    const plan: LoadPlan = {
      port: Number(port),
      keepsConnections: connections === 'kept',
      ...LOAD,
    };
    const clients = startProgram('./clients.js', [JSON.stringify(plan)]);
    programs.push(clients);
    await training.shows(/^step \d+/m);
    await during(clients, 'load', () => delay(WARM_UP_SECONDS * 1000));
    const outcome: Outcome = {
      ...{ plan, seconds, loadBefore, control },
      model: MODEL.join(' '),
      pairs: [],
    };
    const half = <Kind extends Work>(kind: Kind) =>
      during(clients, kind, () => pace(port, seconds));
    for (let i = 0; i < pairs; i++) {
      outcome.pairs.push(await measurePair(half, control, i % 2 === 0));
    }
    process.stdout.write(report(outcome));
    const shortfalls = shortfallsOf(outcome);
    for (const shortfall of shortfalls) log(shortfall);
    if (shortfalls.length > 0) process.exitCode = EXIT_CODES.failed;
  } finally {
    for (const { child } of programs) child.kill('SIGKILL');
    await Promise.all(programs.map(({ closed }) => closed));
    rmSync(folder, { recursive: true });
  }
}

type Work = 'load' | Control;

/** Without and with, with and without: a machine that gets slower favours neither. */
async function measurePair(
  half: <Kind extends Work>(kind: Kind) => Promise<Half<Kind>>,
  control: Control,
  beginsWithout: boolean,
): Promise<Pair> {
  const before = beginsWithout ? await half(control) : undefined;
  const loaded = await half('load');
  const unloaded = before ?? (await half(control));
  const pair: Pair = {
    with: loaded.result,
    load: loaded.report,
    without: unloaded.result,
    usageWithout: unloaded.report,
  };
  log(describe(pair));
  return pair;
}

interface Half<Kind extends Work, Result = Pace> {
  result: Result;
  report: Kind extends 'load' ? LoadReport : Usage;
}

/** What `look` sees while the process of the clients does this, and what that process tells of it. */
async function during<Kind extends Work, Result>(
  { child }: Program,
  kind: Kind,
  look: () => Promise<Result>,
): Promise<Half<Kind, Result>> {
  child.stdin.write(`${kind}\n`);
  const result = await look();
  child.stdin.write('end\n');
  const [line] = await once(child.stdout, 'data');
  return { result, report: JSON.parse(line) };
}

/** A run that does not end, on every core, of a text that it does not matter to read. */
function startTraining(folder: string): Program {
  const text = join(folder, 'text.txt');
  writeFileSync(text, 'the quick brown fox jumps over the lazy dog\n'.repeat(20_000));
  const place = ['--run', join(folder, 'run'), '--metrics-port', '0'];
  const length = ['--epochs', '1000000', '--eval-every', '2000000000', '--checkpoint-every', '0'];
  return startProgram('../../src/cli.js', ['train', text, ...MODEL, ...place, ...length]);
}

/** Of the steps that end within the next `seconds`. */
async function pace(port: string, seconds: number): Promise<Pace> {
  await delay(SETTLE_SECONDS * 1000);
  const first = await look(port);
  await delay(seconds * 1000);
  const last = await look(port);
  const steps = last.step - first.step;
  return {
    stepsPerSecond: steps / (last.seconds - first.seconds),
    processorSecondsPerStep: (last.processorSeconds - first.processorSeconds) / steps,
    residentBytes: last.residentBytes,
  };
}

/** The last step and when it ended; what the process has taken by about then, and what it holds. */
async function look(port: string) {
  const { step, stepTime: seconds } = await (
    await fetch(`http://127.0.0.1:${port}/healthz`)
  ).json();
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const metric = (name: string) =>
    Number(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    step,
    seconds,
    processorSeconds: metric('process_cpu_seconds_total'),
    residentBytes: metric('process_resident_memory_bytes'),
  };
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
