/**
 * Threadloom beside PyTorch, TensorFlow.js and brain.js: the same shapes, in alternation, in one run. Run as
 * `node dist/scripts/peers/compare.js`, on an idle machine.
 */
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { formatCount, printJson } from '../../src/commands/output.ts';
import { expected, InputError, messageOf } from '../../src/errors.ts';
import { surroundings } from '../../src/machine.ts';
import { numberOf, runWithFlags, wholeOf } from '../flags.ts';
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

const FLAGS = {
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '5' },
  shapes: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

interface Settings {
  rounds: number;
  seconds: number;
  shapes: readonly Shape[];
  json: boolean;
}

await runWithFlags(HELP, FLAGS, ({ rounds, seconds, shapes, json }) =>
  compare({
    rounds: wholeOf('rounds', rounds, { least: 1 }),
    seconds: numberOf('seconds', seconds, { least: 0.1 }),
    shapes: shapes === undefined ? SHAPES : shapes.split(',').map(findShape),
    json,
  }),
);

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

function findShape(name: string): Shape {
  const found = SHAPES.find((shape) => shape.name === name);
  if (found) return found;
  const names = SHAPES.map((shape) => shape.name).join(', ');
  throw new InputError(expected(`--shapes to be some of ${names}`, name));
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
