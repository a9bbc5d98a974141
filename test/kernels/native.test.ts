import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { loadNativeKernels, nativeVariants } from '../../src/kernels/native.ts';
import { checkRequired, forceNative, NATIVE_VARIANTS } from '../helpers/native-variants.ts';

/** From dist/test/kernels. */
const BUILT = fileURLToPath(new URL('../../../build/Release/threadloom.node', import.meta.url));
const built = existsSync(BUILT) ? test : test.skip;

built('the addon that was built is one that this code calls', (t) => {
  const kernels = loadNativeKernels();
  t.true(kernels.available || kernels.reason.includes('processor'), JSON.stringify(kernels));
});

for (const variant of NATIVE_VARIANTS) {
  test.serial(`THREADLOOM_NATIVE_PATH asks for ${variant}`, (t) => {
    const release = forceNative(variant);
    try {
      t.deepEqual(loadNativeKernels(), { available: true, variant });
      t.deepEqual(nativeVariants(), [variant]);
    } finally {
      release();
    }
  });
}

test('where the tests of native kernels are required, they fail without such kernels', (t) => {
  const absent = (reason: string) => ({ available: false, reason }) as const;
  t.throws(() => checkRequired(absent('node-gyp failed'), 'required'), {
    message: 'Expected native kernels, as NATIVE_TESTS is "required": node-gyp failed.',
  });
  t.notThrows(() => checkRequired(absent('node-gyp failed'), undefined));
  t.notThrows(() => checkRequired({ available: true, variant: 'native-avx2' }, 'required'));
  const processor = 'this processor has neither AVX-512 nor AVX2 with FMA';
  t.notThrows(() => checkRequired(absent(processor), 'required'));
});

/** A store or a load of a vector register on the stack, as objdump writes it in its own syntax. */
const SPILL = /%[yz]mm\d+,-?(?:0x)?[\da-f]*\(%rsp|\(%rsp[^)]*\),(?:%[yz]mm\d+,)*%[yz]mm\d+/;

// One sum in memory, stored and loaded at each index of K, has halved the speed of a product before.
built('every sum of a register tile is in a register, in each native path', (t) => {
  const { stdout, error } = spawnSync('objdump', ['-d', '-C', '--no-show-raw-insn', BUILT], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (error) {
    t.log(`not tried: ${error.message}`);
    return t.pass();
  }
  const tiles = stdout.split('\n\n').filter((code) => /^[\da-f]+ <.*multiplyTile</.test(code));
  t.true(tiles.length > 60, `${tiles.length} tiles`);
  for (const code of tiles) {
    const [name, ...instructions] = code.split('\n');
    const spills = instructions.filter((instruction) => SPILL.test(instruction));
    t.deepEqual(spills, [], name);
  }
});
