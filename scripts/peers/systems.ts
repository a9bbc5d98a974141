/** The systems that are compared: which of them are here, and how each is made to train. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../src/errors.ts';
import { VERSION } from '../../src/version.ts';
import { runProgram } from './program.ts';
import { type Shape, SMALLEST_SHAPE } from './shapes.ts';

/** The folder of the sources: this file is run from dist/scripts/peers/. */
const PEERS = new URL('../../../scripts/peers/', import.meta.url);
const CLI = fileURLToPath(new URL('../../src/cli.js', import.meta.url));

/** Systems that share a name are one in the table: the faster of them stands there. */
export interface System {
  name: string;
  /** What tells it from others of its name. */
  variant: string;
  /** Absent: every shape. */
  only?: Shape;
  measure(shape: Shape, seconds: number): Promise<Measurement>;
}

export interface Measurement {
  /** By the median step. */
  tokensPerSecond: number;
  steps: number;
  /** Most that was resident, all processes together. */
  peakBytes: number;
}

export interface Missing {
  name: string;
  reason: string;
  remedy: string;
}

/** What of one family of systems is here. */
export interface Found {
  systems: System[];
  versions: string[];
  missing: Missing[];
}

export const NATIVE = 'Threadloom native';

const INSTALL_PYTORCH =
  'install PyTorch (`pip install torch`), or name a Python that has it: PYTHON=/path/to/python';
const INSTALL_BLAS =
  'install a fast BLAS (Debian, Ubuntu: `apt install libopenblas0-pthread`) or PyTorch from pip';
const INSTALL_PACKAGES = '`npm install --prefix scripts/peers`';

/** A product on one thread below this share of the machine's measured peak comes from an unoptimised BLAS. */
const LEAST_SHARE_OF_PEAK = 0.15;

export async function findSystems(cores: number): Promise<Found> {
  const threadloom = await findThreadloom(cores);
  const found = [
    threadloom,
    await findPytorch(cores, threadloom.peakGflopsPerCore),
    findPackage('TensorFlow.js', '@tensorflow/tfjs', 'tensorflow.mjs'),
    findPackage('brain.js', 'brain.js', 'brain.mjs'),
  ];
  return {
    systems: found.flatMap(({ systems }) => systems),
    versions: found.flatMap(({ versions }) => versions),
    missing: found.flatMap(({ missing }) => missing),
  };
}

interface Bench extends Measurement {
  variant: string;
  peakGflops: number;
}

async function findThreadloom(cores: number): Promise<Found & { peakGflopsPerCore: number }> {
  const found: Found & { peakGflopsPerCore: number } = {
    systems: [],
    versions: [],
    missing: [],
    peakGflopsPerCore: 0,
  };
  for (const backend of ['native', 'wasm']) {
    const bench = ({ name, ...shape }: Partial<Shape>, seconds: number) => {
      const lanes = Math.min(Math.max(8, cores), shape.batch ?? 8);
      const flags = { backend, workers: cores, lanes, seconds, ...shape };
      return runProgram<Bench>(process.execPath, [
        ...[CLI, 'bench', 'train', '--json'],
        ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
      ]);
    };
    const name = `Threadloom ${backend}`;
    try {
      const { variant, peakGflops } = await bench({ hidden: 16, batch: 8 * cores }, 0.1);
      found.peakGflopsPerCore = Math.max(found.peakGflopsPerCore, peakGflops / cores);
      found.versions.push(`Threadloom ${VERSION} (${variant})`);
      found.systems.push({ name, variant, measure: bench });
    } catch (error) {
      found.missing.push({ name, reason: messageOf(error), remedy: '`npm ci`, `npm run build`' });
    }
  }
  return found;
}

interface PytorchDescription {
  version: string;
  distributed: boolean;
  gflops: number;
}

async function findPytorch(cores: number, peakGflops: number): Promise<Found> {
  const { PYTHON } = process.env;
  const candidates = PYTHON ? [PYTHON] : ['python3', '/usr/bin/python3'];
  const program = fileURLToPath(new URL('pytorch.py', PEERS));
  const failures: string[] = [];
  for (const python of candidates) {
    try {
      const description = await runProgram<PytorchDescription>(python, [program]);
      return pytorchSystems(description, cores, peakGflops, (workload) =>
        runProgram<Measurement>(python, [program, JSON.stringify(workload)]),
      );
    } catch (error) {
      failures.push(`${python}: ${messageOf(error)}`);
    }
  }
  return withoutPytorch(failures.join('; '), INSTALL_PYTORCH);
}

function pytorchSystems(
  { version, distributed, gflops }: PytorchDescription,
  cores: number,
  peakGflops: number,
  run: (workload: object) => Promise<Measurement>,
): Found {
  if (gflops < LEAST_SHARE_OF_PEAK * peakGflops) {
    return withoutPytorch(
      `${gflops.toFixed(1)} of ${peakGflops.toFixed(0)} GFLOP/s a core: its BLAS is unoptimised, no measure of it`,
      INSTALL_BLAS,
    );
  }
  const systems: System[] = [...new Set([cores, 1])].map((threads) => ({
    name: 'PyTorch, one process',
    variant: threads === 1 ? '1 thread' : `${threads} threads`,
    measure: (shape, seconds) => run({ ...shape, seconds, threads }),
  }));
  const missing: Missing[] = [];
  const name = `PyTorch DDP, ${cores} processes`;
  if (distributed) {
    systems.push({
      name,
      variant: 'gloo, one thread each',
      measure: (shape, seconds) =>
        run({ ...shape, seconds, processes: Math.min(cores, shape.batch) }),
    });
  } else {
    missing.push({ name, reason: 'built without torch.distributed', remedy: INSTALL_PYTORCH });
  }
  const versions = [`PyTorch ${version} (matrix product: ${gflops.toFixed(0)} GFLOP/s a thread)`];
  return { systems, versions, missing };
}

function withoutPytorch(reason: string, remedy: string): Found {
  return { systems: [], versions: [], missing: [{ name: 'PyTorch', reason, remedy }] };
}

function findPackage(name: string, packageName: string, program: string): Found {
  const manifest = new URL(`node_modules/${packageName}/package.json`, PEERS);
  if (!existsSync(manifest)) {
    const reason = 'not installed';
    return { systems: [], versions: [], missing: [{ name, reason, remedy: INSTALL_PACKAGES }] };
  }
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
  const path = fileURLToPath(new URL(program, PEERS));
  const system: System = {
    name,
    variant: 'one thread',
    only: SMALLEST_SHAPE,
    measure: (shape, seconds) =>
      runProgram(process.execPath, [path, JSON.stringify({ ...shape, seconds })]),
  };
  return { systems: [system], versions: [`${name} ${version}`], missing: [] };
}
