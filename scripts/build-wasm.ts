/**
 * Compiles workers/wasm into dist/workers/wasm/: kernels.wasm for every engine with SIMD and
 * kernels-relaxed.wasm for those with relaxed SIMD. Run as `node dist/scripts/build-wasm.js`.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

/** The repository: this file is run from dist/scripts/. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OUTPUT = 'dist/workers/wasm';

/**
 * No runtime, no exported memory, no initial data: every thread instantiates the same module on one
 * shared memory, of up to 65,536 pages (4 GiB).
 */
const OPTIONS = [
  ...['--baseDir', ROOT, '--runtime', 'stub', '--optimizeLevel', '3', '--noAssert'],
  ...['--importMemory', '--noExportMemory', '--sharedMemory'],
  ...['--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--enable', 'threads', '--enable', 'simd'],
];

const BUILDS = [
  { file: 'kernels.wasm', options: [] },
  { file: 'kernels-relaxed.wasm', options: ['--enable', 'relaxed-simd'] },
];

mkdirSync(new URL(`../../${OUTPUT}/`, import.meta.url), { recursive: true });
for (const { file, options } of BUILDS) {
  const outFile = `${OUTPUT}/${file}`;
  const result = await asc.main([
    'workers/wasm/index.ts',
    ...OPTIONS,
    ...options,
    ...['--outFile', outFile],
  ]);
  if (result.error) {
    process.stderr.write(`${result.stderr}\nCould not compile workers/wasm into ${outFile}.\n`);
    process.exit(1);
  }
}
