/**
 * Runs at `npm install`: makes the native kernels ready where this machine can, and lets the install
 * succeed where it cannot. A prebuilt addon that this code can call is taken as it is; else node-gyp builds one. The
 * reason of a failure is kept in build/native-unavailable.txt, for `loadNativeKernels` to tell.
 *
 * `--prebuild` builds in any case, puts the addon where the npm package carries it
 * (prebuilds/<platform>-<arch>/) and fails where it cannot.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const platform = `${process.platform}-${process.arch}`;
const built = join(root, 'build', 'Release', 'threadloom.node');
const prebuilt = join(root, 'prebuilds', platform, 'threadloom.node');
const reasonFile = join(root, 'build', 'native-unavailable.txt');
const isPrebuild = process.argv.includes('--prebuild');

const reason = makeReady();
if (reason) {
  keepReason(reason);
  console.log(`threadloom: native kernels not built, the wasm backend will be used: ${reason}`);
  if (isPrebuild) process.exitCode = 1;
} else {
  rmSync(reasonFile, { force: true });
  if (isPrebuild) {
    mkdirSync(dirname(prebuilt), { recursive: true });
    copyFileSync(built, prebuilt);
    console.log(`threadloom: wrote ${prebuilt}`);
  }
}

/** Leaves the reason in the place of what was built: nothing stale may be loaded in spite of what is said here. */
function keepReason(text) {
  try {
    rmSync(join(root, 'build'), { recursive: true, force: true });
    mkdirSync(dirname(reasonFile), { recursive: true });
    writeFileSync(reasonFile, `${text}\n`);
  } catch {
    // A folder that nobody may write to: the line printed is all there is.
  }
}

/** Returns why there is no native addon, or undefined where there is one. */
function makeReady() {
  if (!isPrebuild && existsSync(prebuilt) && !whyUnusable(prebuilt)) return undefined;
  const missing = missingForBuild();
  if (missing) return missing;
  const build = spawnSync(
    process.execPath,
    [findNodeGyp(), 'rebuild', '--jobs=max', ...headers()],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: Number.POSITIVE_INFINITY,
      env: { ...process.env, CXX: compiler() },
    },
  );
  if (build.error) return `node-gyp could not be started (${build.error.message})`;
  if (build.status !== 0) return `node-gyp failed (${failingLine(build.stdout + build.stderr)})`;
  const failure = whyUnusable(built);
  return failure && `the addon was built and cannot be used (${failure})`;
}

function missingForBuild() {
  if (!['linux-x64', 'darwin-x64'].includes(platform))
    return `they are not written for ${platform}`;
  const missing = [];
  if (!compiler()) missing.push('C++ compiler');
  if (!isOnPath('make', 'gmake')) missing.push('make');
  if (!isOnPath(process.env.PYTHON, process.env.npm_config_python, 'python3', 'python')) {
    missing.push('Python');
  }
  if (!findNodeGyp()) missing.push('node-gyp');
  return missing.length === 0 ? undefined : `no ${missing.join(', no ')} found`;
}

/** The command that compiles C++: make knows g++ alone. */
function compiler() {
  const { CXX } = process.env;
  if (CXX && isOnPath(CXX.split(' ')[0])) return CXX;
  return ['g++', 'c++', 'clang++'].find((command) => isOnPath(command));
}

/** npm names its own node-gyp in the environment; outside of npm it lies beside npm, beside node. */
function findNodeGyp() {
  const npmFolder = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm');
  const beside = join(npmFolder, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  return [process.env.npm_config_node_gyp, beside].find((file) => file && existsSync(file));
}

/** Headers installed with node spare node-gyp the download. */
function headers() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  const installed = existsSync(join(prefix, 'include', 'node', 'node_api.h'));
  return installed ? [`--nodedir=${prefix}`] : [];
}

function isOnPath(...commands) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return commands.some(
    (command) => command && folders.some((folder) => existsSync(resolve(folder, command))),
  );
}

/** Why the program would not load an addon, or undefined where it would. */
function whyUnusable(file) {
  try {
    const { contract = 1 } = createRequire(import.meta.url)(file);
    return contract === neededContract() ? undefined : `it is of contract ${contract}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The form of the kernels' table that this version calls. */
function neededContract() {
  const header = readFileSync(join(root, 'workers', 'native', 'kernels.h'), 'utf8');
  return Number(/constexpr int CONTRACT = (\d+);/.exec(header)?.[1]);
}

/** The line of a long log that says what went wrong. */
function failingLine(log) {
  const lines = log.split('\n').map((line) => line.trim());
  const telling =
    lines.find((line) => /\berror:|: (No such file|not found)|\*\*\* /.test(line)) ??
    lines.find((line) => /ERR! stack/.test(line)) ??
    lines.findLast((line) => line !== '');
  return (telling ?? 'without output').replace(/^gyp ERR! (stack )?/, '').slice(0, 200);
}
