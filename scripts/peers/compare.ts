/**
 * Threadloom beside PyTorch, TensorFlow.js and brain.js: the same shapes, in alternation, in one run. Run as
 * `node dist/scripts/peers/compare.js`, on an idle machine.
 */
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { parseArgs } from 'node:util';
import { formatCount, printJson } from '../../src/commands/output.ts';
import { EXIT_CODES, expected, InputError, messageOf } from '../../src/errors.ts';
import { surroundings } from '../../src/machine.ts';
import { type Comparison, formatMissing, formatReport, type Series, summarize } from './report.ts';
import { describeShape, SHAPES, type Shape } from './shapes.ts';
import { findSystems, type System } from './systems.ts';

const HELP = `node dist/scripts/peers/compare.js

Trains the same networks with Threadloom, PyTorch, TensorFlow.js and brain.js in alternation;
prints tokens a second, one table.

  --rounds   measurements of each system on each shape (3)
  --seconds  time a measurement takes (5); slow systems take longer
  --shapes   comma-separated, of ${SHAPES.map(({ name }) => name).join(', ')} (all)
  --json     print one JSON object on stdout
  --help     show this
`;

interface Settings {
  rounds: number;
  seconds: number;
  shapes: readonly Shape[];
  json: boolean;
}

try {
  const settings = readFlags();
  if (settings) await compare(settings);
  else process.stdout.write(HELP);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof InputError ? error.exitCode : EXIT_CODES.failed;
}

async function compare({ rounds, seconds, shapes, json }: Settings): Promise<void> {
  const loadBefore = loadavg()[0];
  const { cores } = surroundings();
  const { systems, versions, missing } = await findSystems(cores);
  for (const each of missing) log(formatMissing(each));
  if (loadBefore > 0.3) {
    log(
      `The machine is busy (load ${loadBefore.toFixed(1)}): only an idle one gives true figures.`,
    );
  }
  const comparisons: Comparison[] = [];
  for (const shape of shapes) comparisons.push(await compareOn(shape, systems, rounds, seconds));
  const circumstances = {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores,
    memoryBytes: totalmem(),
    platform: `${type()} ${release()}`,
    loadBefore,
    versions: [...versions, `Node.js ${process.versions.node}`],
    missing,
    rounds,
    seconds,
  };
  if (!json) process.stdout.write(formatReport(comparisons, circumstances));
  else {
    const results = comparisons.map((each) => ({ ...each, results: summarize(each) }));
    printJson({ ...circumstances, comparisons: results });
  }
}

/** A B C A B C: what disturbs the machine for a while disturbs all. A system that failed is not tried again. */
async function compareOn(
  shape: Shape,
  systems: readonly System[],
  rounds: number,
  seconds: number,
): Promise<Comparison> {
  const present = systems
    .filter(({ only }) => only === undefined || only === shape)
    .map((system) => {
      const series: Series = { system: system.name, variant: system.variant, measurements: [] };
      return { system, series };
    });
  for (let round = 1; round <= rounds; round++) {
    for (const { system, series } of present) {
      if (series.failure !== undefined) continue;
      const what = `${describeShape(shape)}, round ${round}, ${system.name} (${system.variant})`;
      try {
        const { tokensPerSecond, steps, peakBytes } = await system.measure(shape, seconds);
        series.measurements.push({ tokensPerSecond, steps, peakBytes });
        log(`${what}: ${formatCount(tokensPerSecond)} tokens/s`);
      } catch (error) {
        series.failure = messageOf(error);
        log(`${what} failed: ${series.failure}`);
      }
    }
  }
  return { shape, series: present.map(({ series }) => series) };
}

/** Undefined where help is asked for. */
function readFlags(): Settings | undefined {
  const { rounds, seconds, shapes, json, help } = parseFlags();
  if (help) return undefined;
  return {
    rounds: positive('--rounds', rounds, Number.isInteger, 'a whole number'),
    seconds: positive('--seconds', seconds, Number.isFinite, 'a number'),
    shapes: shapes === undefined ? SHAPES : shapes.split(',').map(findShape),
    json,
  };
}

function parseFlags() {
  try {
    return parseArgs({
      options: {
        rounds: { type: 'string', default: '3' },
        seconds: { type: 'string', default: '5' },
        shapes: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    const [reason] = messageOf(error).split(/\. |\n/);
    throw new InputError(`${reason.replace(/\.$/, '')}. See --help.`, { cause: error });
  }
}

function positive(flag: string, text: string, fits: (value: number) => boolean, kind: string) {
  const value = Number(text);
  if (text.trim() === '' || !fits(value) || value <= 0) {
    throw new InputError(expected(`${flag} to be ${kind} above 0`, text));
  }
  return value;
}

function findShape(name: string): Shape {
  const found = SHAPES.find((shape) => shape.name === name);
  if (found) return found;
  const names = SHAPES.map((shape) => shape.name).join(', ');
  throw new InputError(expected(`--shapes to be some of ${names}`, name));
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
