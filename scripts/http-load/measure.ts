/**
 * What scrapers cost a training: the same run with and without them, in alternating pairs. Run as `npm run http-load`, on an
 * idle machine. All traffic is to 127.0.0.1.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { formatBytes } from '../../src/bytes.ts';
import { surroundings } from '../../src/machine.ts';
import { numberOf, runWithFlags, wholeOf } from '../flags.ts';
import type { LoadReport } from './clients.ts';
import { type Program, startProgram } from './program.ts';

const SCRAPES_PER_SECOND = 200;
const SLOW_CONNECTIONS = 200;
const WARM_UP_SECONDS = 3;
/** After a switch, before the clock starts: connections open, caches fill. */
const SETTLE_SECONDS = 0.5;
const MODEL = ['--hidden', '256', '--layers', '2', '--batch', '64', '--chunk', '64'];

const HELP = `npm run http-load

Trains, and compares the steps a second with ${SCRAPES_PER_SECOND} scrapes a second and ${SLOW_CONNECTIONS} slow connections to those
without, in alternating pairs.

  --pairs    how many (8)
  --seconds  time of each half of a pair (3)
  --new      a new connection for each scrape; else connections are kept
`;

/** Steps a second. */
interface Pair {
  without: number;
  with: number;
}

const FLAGS = {
  pairs: { type: 'string', default: '8' },
  seconds: { type: 'string', default: '3' },
  new: { type: 'boolean', default: false },
} as const;

/** `seconds`: of each half of a pair. */
interface Measurement {
  pairs: number;
  seconds: number;
  connections: 'new' | 'kept';
}

await runWithFlags(HELP, FLAGS, (flags) =>
  measure({
    pairs: wholeOf('pairs', flags.pairs, { least: 1 }),
    seconds: numberOf('seconds', flags.seconds, { least: 0.1, most: 60 }),
    connections: flags.new ? 'new' : 'kept',
  }),
);

async function measure(measurement: Measurement): Promise<void> {
  const { pairs, seconds, connections } = measurement;
  const folder = mkdtempSync(join(tmpdir(), 'threadloom-http-load-'));
  const loadBefore = loadavg()[0];
  const programs: Program[] = [];
  try {
    const training = startTraining(folder);
    programs.push(training);
    const [, port] = await training.shows(/metrics +http:\/\/127\.0\.0\.1:(\d+)\//);
    const load = [port, SCRAPES_PER_SECOND, SLOW_CONNECTIONS, connections];
    const clients = startProgram('./clients.js', load);
    programs.push(clients);
    await training.shows(/^step \d+/m);
    await delay(WARM_UP_SECONDS * 1000);
    const before = await residentBytes(port);
    const results: Pair[] = [];
    const reports: LoadReport[] = [];
    for (let i = 0; i < pairs; i++) {
      // Without and with, with and without: a machine that gets slower favours neither.
      const without = i % 2 === 0 ? await stepsPerSecond(port, seconds) : 0;
      clients.child.stdin.write('on\n');
      const loaded = await stepsPerSecond(port, seconds);
      clients.child.stdin.write('off\n');
      reports.push(JSON.parse((await once(clients.child.stdout, 'data'))[0]));
      results.push({ with: loaded, without: without || (await stepsPerSecond(port, seconds)) });
      log(`pair ${i + 1}: ${describe(results[i])}`);
    }
    const memory = { before, after: await residentBytes(port) };
    process.stdout.write(report(measurement, results, reports, loadBefore, memory));
  } finally {
    for (const { child } of programs) child.kill('SIGKILL');
    await Promise.all(programs.map(({ closed }) => closed));
    rmSync(folder, { recursive: true });
  }
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
async function stepsPerSecond(port: string, seconds: number): Promise<number> {
  await delay(SETTLE_SECONDS * 1000);
  const first = await lastStep(port);
  await delay(seconds * 1000);
  const last = await lastStep(port);
  return (last.step - first.step) / (last.seconds - first.seconds);
}

/** The last step and when it ended. */
async function lastStep(port: string): Promise<{ step: number; seconds: number }> {
  const { step, secondsSinceStep } = await (await fetch(`http://127.0.0.1:${port}/healthz`)).json();
  return { step, seconds: performance.now() / 1000 - secondsSinceStep };
}

async function residentBytes(port: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^process_resident_memory_bytes\{.*\} (\S+)$/m.exec(text)?.[1]);
}

function report(
  { seconds, connections }: Measurement,
  results: readonly Pair[],
  reports: readonly LoadReport[],
  loadBefore: number,
  memory: { before: number; after: number },
): string {
  const sum = (value: (report: LoadReport) => number) =>
    reports.reduce((total, each) => total + value(each), 0);
  const loadedSeconds = sum((each) => each.seconds);
  const ratios = results.map((pair) => pair.with / pair.without).sort((a, b) => a - b);
  const share = sum((each) => each.processorSeconds) / loadedSeconds;
  return `
machine    ${surroundings().cores} cores of ${cpus()[0]?.model.trim()}, load average ${loadBefore.toFixed(1)} at the start
training   ${MODEL.join(' ')}, all cores
load       ${(sum((each) => each.answered) / loadedSeconds).toFixed(0)} scrapes answered a second on ${connections} connections, ${sum((each) => each.failed)} failed; ${reports.map(({ slow }) => slow).join(' ')} slow connections, ${sum((each) => each.ended)} ended by the server
clients    ${(100 * share).toFixed(1)}% of a core, at a lower priority
memory     ${formatBytes(memory.before)} before, ${formatBytes(memory.after)} after (resident, of the training)
speed      with / without, median of ${results.length} pairs of ${seconds} s: ${median(ratios).toFixed(4)} (from ${ratios[0].toFixed(4)} to ${ratios[ratios.length - 1].toFixed(4)})
cost       ${(100 * (1 - median(ratios))).toFixed(2)}%
`;
}

function describe(pair: Pair): string {
  const ratio = (pair.with / pair.without).toFixed(4);
  return `${pair.with.toFixed(2)} steps/s with, ${pair.without.toFixed(2)} without, ratio ${ratio}`;
}

/** Of sorted values. */
function median(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  return (values[Math.floor(middle)] + values[Math.ceil(middle)]) / 2;
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
