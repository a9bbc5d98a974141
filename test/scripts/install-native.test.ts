/** What an installation leaves where there is no compiler, or an addon that cannot be used. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { QUIET_TINY, runCli } from '../helpers/cli.ts';
import { NATIVE_VARIANTS } from '../helpers/native-variants.ts';
import { builtAddon, copyPackage, type PackageCopy, writeAt } from '../helpers/package-copy.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { writeText } from '../helpers/text.ts';

/** Whether the native kernels are written for this platform. */
const COMPILED_FOR = ['linux-x64', 'darwin-x64'].includes(`${process.platform}-${process.arch}`);
const NOT_AN_ADDON = 'no machine code';

/** An addon that loads and has the form of the first: no number. Undefined where nothing compiles it. */
function firstAddon(t: ExecutionContext): Buffer | undefined {
  const folder = temporaryFolder(t);
  const [source, addon] = [join(folder, 'first.c'), join(folder, 'first.node')];
  writeAt(source, 'void *napi_register_module_v1(void *env, void *exports) { return exports; }\n');
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-o', addon, source]);
  return status === 0 ? readFileSync(addon) : undefined;
}

const unusableAddons = {
  'that does not load': () => NOT_AN_ADDON,
  'built for other code': firstAddon,
} as const;

/** Trains a step with the program of the copy. */
function trainStep(t: ExecutionContext, { folder, cli }: PackageCopy, backend: string) {
  const run = join(folder, `run-${backend}`);
  const flags = [...QUIET_TINY, '--steps', '1', '--workers', '1', '--backend', backend];
  return runCli(t, ['train', writeText(folder), '--run', run, ...flags], { cli });
}

test('without a compiler the installation succeeds in one line, and a run says why it is on wasm', async (t) => {
  const copy = copyPackage(t);
  const { code, stdout, stderr } = await copy.install();
  t.is(code, 0);
  t.is(stderr, '');
  const [line, reason] =
    /^threadloom: native kernels not built, the wasm backend will be used: (.+)\n$/.exec(stdout) ??
    [];
  t.truthy(line, stdout);
  t.regex(
    String(reason),
    COMPILED_FOR ? /^no C\+\+ compiler, no make, no Python/ : /^they are not written for/,
  );
  t.is(readFileSync(copy.reasonFile, 'utf8'), `${reason}\n`);

  const auto = await trainStep(t, copy, 'auto');
  t.is(auto.code, 0);
  const compute = auto.lines.filter((each) => /^ +compute +/.test(each));
  t.is(compute.length, 1);
  t.regex(compute[0], / 1 workers, 4 lanes, wasm-\S+ kernels/);
  t.true(compute[0].endsWith(` (no native ones: ${reason})`), compute[0]);

  const native = await trainStep(t, copy, 'native');
  t.is(native.code, 2);
  t.deepEqual(native.lines, [
    `threadloom: Expected the native kernels to load: ${reason}. Use --backend wasm, or npm rebuild with a C++ compiler.`,
  ]);
});

test('the compiler that was found is the one that compiles', async (t) => {
  if (!COMPILED_FOR) return t.pass('nothing is compiled for this platform');
  const copy = copyPackage(t);
  const nodeGyp = join(copy.folder, 'node-gyp.mjs');
  writeAt(nodeGyp, "console.error('error: ' + process.env.CXX); process.exitCode = 1;");
  const compilerOf = async (commands: string[], env: Record<string, string> = {}) => {
    const found = await copy.install([...commands, 'make', 'python3'], {
      ...env,
      npm_config_node_gyp: nodeGyp,
    });
    t.is(found.code, 0);
    return /error: ([^)]*)/.exec(found.stdout)?.[1];
  };
  t.is(await compilerOf(['clang++']), 'clang++');
  t.is(await compilerOf(['clang++', 'g++']), 'g++');
  t.is(await compilerOf(['g++', 'clang++'], { CXX: 'clang++ -Wall' }), 'clang++ -Wall');
  t.is(await compilerOf(['g++'], { CXX: 'elsewhere' }), 'g++');
});

test('an installation into a folder that cannot be written succeeds too', (t) => {
  const { folder } = copyPackage(t);
  chmodSync(folder, 0o555);
  t.teardown(() => chmodSync(folder, 0o755));
  // Whoever runs the tests may be one to whom rights mean nothing.
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const script = join(folder, 'scripts/install-native.mjs');
  const env = { PATH: '' };
  const found = spawnSync(process.execPath, [script], { ...nobody, env, encoding: 'utf8' });
  t.is(found.stderr, '');
  t.is(found.status, 0);
  t.regex(found.stdout, /^threadloom: native kernels not built, .*\n$/);
  t.false(existsSync(join(folder, 'build')));
});

for (const [kind, make] of Object.entries(unusableAddons)) {
  const title = `a prebuilt addon ${kind}`;

  test(`${title} is not taken for one that can be used`, async (t) => {
    const addon = make(t);
    if (!addon) return t.pass('no C compiler');
    const copy = copyPackage(t);
    writeAt(copy.prebuilt, addon);
    const { code, stdout } = await copy.install();
    t.is(code, 0);
    t.regex(stdout, /^threadloom: native kernels not built, .*\n$/);
    t.true(existsSync(copy.reasonFile));
  });

  test(`${title} is built anew`, async (t) => {
    const addon = make(t);
    const good = builtAddon();
    if (!addon || !good) return t.pass('no C compiler');
    const copy = copyPackage(t);
    writeAt(copy.prebuilt, addon);
    writeAt(join(copy.folder, 'good.node'), good);
    // As npm names its own; this one is quick.
    const nodeGyp = join(copy.folder, 'node-gyp.mjs');
    writeAt(
      nodeGyp,
      `import fs from 'node:fs';
      fs.mkdirSync('build/Release', { recursive: true });
      fs.copyFileSync('good.node', 'build/Release/threadloom.node');`,
    );
    const env = { npm_config_node_gyp: nodeGyp };
    const { code, stdout } = await copy.install(['g++', 'make', 'python3'], env);
    t.is(code, 0);
    t.is(stdout, '');
    t.false(existsSync(copy.reasonFile));
    if (NATIVE_VARIANTS.length > 0) t.is((await trainStep(t, copy, 'native')).code, 0);
  });

  test(`an addon built earlier ${kind} does not hide the prebuilt one`, async (t) => {
    const addon = make(t);
    const good = builtAddon();
    if (!addon || !good || NATIVE_VARIANTS.length === 0) return t.pass('no native kernels here');
    const copy = copyPackage(t);
    writeAt(copy.built, addon);
    writeAt(copy.prebuilt, good);
    t.deepEqual(await copy.install(), { code: 0, stdout: '', stderr: '' });
    t.is((await trainStep(t, copy, 'native')).code, 0);
  });
}
