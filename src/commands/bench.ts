/** `threadloom bench kernels|train|scaling` */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Argv, CommandModule } from 'yargs';
import { benchmarkKernels, type KernelsBenchmark } from '../bench/kernels.ts';
import { benchmarkScaling, type GrowthRow, type ScalingRow } from '../bench/scaling.ts';
import { benchmarkTraining, isGiven, type TrainBenchmark } from '../bench/train.ts';
import { formatBytes } from '../bytes.ts';
import {
  type BenchKernelsSettings,
  type BenchScalingSettings,
  type BenchTrainSettings,
  benchKernelsSettings,
  benchScalingSettings,
  benchTrainSettings,
} from '../config/bench-settings.ts';
import { EXIT_CODES, InputError, messageOf } from '../errors.ts';
import { formatCount, formatTable, printJson, say } from './output.ts';
import {
  flagsOf,
  OUTPUT_FLAGS,
  refuseUnknownFlags,
  settingsFromFlags,
  type Table,
} from './settings.ts';

interface BenchFlags {
  json?: boolean;
}

export function benchCommand(finish: (exitCode: number) => void): CommandModule {
  return {
    command: 'bench <what>',
    describe: 'measure kernels, training and scaling on this machine',
    builder: (yargs: Argv) =>
      yargs
        .command(
          part(
            'kernels',
            'every kernel against the measured peak',
            benchKernelsSettings,
            showKernels,
          ),
        )
        .command(
          part(
            'train',
            'tokens a second for a table of shapes, or for one shape',
            benchTrainSettings,
            showTraining,
          ),
        )
        .command(
          part(
            'scaling',
            'speed-up by workers, where the rest is lost, growth with work',
            benchScalingSettings,
            showScaling,
          ),
        )
        .demandCommand(1, 'Expected bench kernels, bench train or bench scaling'),
    handler() {
      finish(EXIT_CODES.done);
    },
  };
}

/** One of the benchmarks: its flags are the settings of its table. */
function part<Settings>(
  name: string,
  describe: string,
  table: Table,
  show: (settings: Settings, json: boolean) => Promise<void>,
): CommandModule<object, BenchFlags> {
  const options = { ...flagsOf(table), json: OUTPUT_FLAGS.json };
  return {
    command: name,
    describe,
    builder: (yargs) =>
      yargs.options(options).example(`$0 bench ${name}`, describe) as Argv<BenchFlags>,
    async handler(argv) {
      refuseUnknownFlags(argv, options, ['what']);
      say(`${machineLine()}\n`);
      await show(settingsFromFlags(table, argv) as Settings, argv.json ?? false);
    },
  };
}

/** Figures mean something only beside the machine they were taken on. */
function machineLine(): string {
  const processors = cpus();
  return `${processors[0]?.model.trim()}, ${processors.length} cores, Node.js ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
}

async function showKernels(settings: BenchKernelsSettings, json: boolean): Promise<void> {
  const benchmark = await benchmarkKernels(settings);
  if (json) return printJson(benchmark);
  process.stdout.write(formatKernels(benchmark));
}

function formatKernels({ peak, measurements }: KernelsBenchmark): string {
  const share = (value: number, limit: number) => `${((100 * value) / limit).toFixed(0)}%`;
  const rows = measurements.map(
    ({ kernel, variant, gflops, gigabytesPerSecond, seconds, error }) => [
      variant,
      kernel,
      `${(seconds * 1e6).toFixed(1)} µs`,
      gflops === undefined ? '' : gflops.toFixed(1),
      gigabytesPerSecond === undefined ? '' : gigabytesPerSecond.toFixed(1),
      gflops === undefined
        ? share(gigabytesPerSecond ?? 0, peak.copyGigabytesPerSecond)
        : share(gflops, peak.gflops),
      error.toExponential(0),
    ],
  );
  const limit = `one thread at most: ${peak.gflops.toFixed(0)} GFLOP/s in registers (${peak.variant}), ${peak.copyGigabytesPerSecond.toFixed(0)} GB/s copying memory (more than 100% of it: in the caches)`;
  return `${formatTable(['kernels', 'kernel', 'a call', 'GFLOP/s', 'GB/s', 'of peak', 'error'], rows)}${limit}\n`;
}

async function showTraining(settings: BenchTrainSettings, json: boolean): Promise<void> {
  const { workers, lanes, backend, seconds, ...shape } = settings;
  const benchmarks: TrainBenchmark[] = [];
  for await (const benchmark of benchmarkTraining(settings)) {
    benchmarks.push(benchmark);
    if (!json)
      say(`${describeShape(benchmark)}: ${formatCount(benchmark.tokensPerSecond)} tokens/s\n`);
  }
  if (json) return printJson(isGiven(shape) ? benchmarks[0] : { shapes: benchmarks });
  process.stdout.write(formatTraining(benchmarks));
}

function describeShape({ spec, streams, times }: TrainBenchmark): string {
  return `${spec.cell} ${spec.layers}×${spec.hidden} N${streams} T${times} V${spec.vocabulary}`;
}

function formatTraining(benchmarks: readonly TrainBenchmark[]): string {
  const rows = benchmarks.map((each) => {
    const { phaseSeconds, stepSeconds } = each;
    const phases = Object.entries(phaseSeconds)
      .filter(([, seconds]) => seconds >= 0.005 * stepSeconds.median)
      .map(([phase, seconds]) => `${phase} ${(seconds * 1000).toFixed(2)}`);
    return [
      describeShape(each),
      formatCount(each.tokensPerSecond),
      each.gflops.toFixed(1),
      `${(100 * each.shareOfPeak).toFixed(1)}%`,
      `${(stepSeconds.median * 1000).toFixed(2)} (${(stepSeconds.p10 * 1000).toFixed(2)}–${(stepSeconds.p90 * 1000).toFixed(2)})`,
      phases.join(', '),
      `${(100 * each.coordinationShare).toFixed(1)}%`,
      `${formatBytes(each.arenaBytes)} / ${formatBytes(each.plannedBytes)} / ${formatBytes(each.peakBytes)}`,
    ];
  });
  const [{ workers, variant }] = benchmarks;
  const peaks = benchmarks.map(({ peakGflops }) => peakGflops);
  const range = [
    ...new Set([Math.min(...peaks), Math.max(...peaks)].map((peak) => peak.toFixed(0))),
  ];
  return `${formatTable(['shape', 'tokens/s', 'GFLOP/s', 'of peak', 'ms a step (p10–p90)', 'ms by phase', 'no task', 'memory: arena / planned / peak'], rows)}${workers} workers, ${variant} kernels; peak on as many threads, measured before and after each shape: ${range.join('–')} GFLOP/s; no task: share of a step in which no worker has one\n`;
}

async function showScaling(settings: BenchScalingSettings, json: boolean): Promise<void> {
  const announce = (row: ScalingRow | GrowthRow, kind: string) => {
    const what = 'workers' in row ? `${row.workers} workers` : `${row.grows} ${row.value}`;
    say(`${kind}, ${what}: ${formatCount(row.tokensPerSecond)} tokens/s\n`);
  };
  if (settings.svg !== undefined) writeFigure(settings.svg, '');
  const benchmark = await benchmarkScaling(settings, json ? undefined : announce);
  if (settings.svg !== undefined) await writePlot(settings.svg, benchmark);
  if (json) return printJson(benchmark);
  const { strong, weak, growth, predictions, model } = benchmark;
  process.stdout.write(`strong scaling: the same work on more workers\n${formatScaling(strong)}`);
  process.stdout.write(`\nweak scaling: work in proportion to the workers\n${formatScaling(weak)}`);
  if (model) {
    const predicted = predictions.map(
      ({ workers, tokensPerSecond }) => `${workers} workers ${formatCount(tokensPerSecond)}`,
    );
    process.stdout.write(
      `\nprediction, not measured (Amdahl and a tree reduction, fitted): ${predicted.join(', ')} tokens/s\n`,
    );
  } else {
    process.stdout.write(
      '\nno prediction: it takes four worker counts, give them with --workers\n',
    );
  }
  process.stdout.write(`\ngrowth: one size at a time\n${formatGrowth(growth)}`);
}

/** Loaded only when asked for: no other command needs a plotting library. */
async function writePlot(path: string, benchmark: Awaited<ReturnType<typeof benchmarkScaling>>) {
  const { drawScaling } = await import('../bench/plot.ts');
  writeFigure(path, drawScaling(benchmark));
}

/** Throws InputError where it cannot be written: tried once with nothing in it, before minutes are measured for it. */
function writeFigure(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: text === '' ? 'a' : 'w' });
  } catch (error) {
    throw new InputError(`Expected --svg to be a file that can be written: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function formatScaling(rows: readonly ScalingRow[]): string {
  const percent = (value: number) => `${(100 * value).toFixed(1)}%`;
  return formatTable(
    [
      'workers',
      'streams',
      'tokens/s',
      'speed-up',
      'efficiency',
      'lost: imbalance',
      'reduction',
      'coordination',
      'memory',
    ],
    rows.map((row) => [
      String(row.workers),
      String(row.streams),
      formatCount(row.tokensPerSecond),
      row.speedup.toFixed(2),
      percent(row.efficiency),
      percent(row.lostToImbalance),
      percent(row.lostToReduction),
      percent(row.lostToCoordination),
      percent(row.lostToMemory),
    ]),
  );
}

function formatGrowth(rows: readonly GrowthRow[]): string {
  return formatTable(
    ['grows', 'to', 'ms a step', 'tokens/s', 'GFLOP/s', 'exponent'],
    rows.map(({ grows, value, stepSeconds, tokensPerSecond, gflops, exponent }) => [
      grows,
      String(value),
      (stepSeconds * 1000).toFixed(2),
      formatCount(tokensPerSecond),
      gflops.toFixed(1),
      exponent === null ? '' : exponent.toFixed(2),
    ]),
  );
}
