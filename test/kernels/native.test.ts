import { existsSync } from 'node:fs';
import test from 'ava';
import { loadNativeKernels } from '../../src/kernels/native.ts';

/** From dist/test/kernels. */
const BUILT = new URL('../../../build/Release/threadloom.node', import.meta.url);

(existsSync(BUILT) ? test : test.skip)(
  'the addon that was built is one that this code calls',
  (t) => {
    const kernels = loadNativeKernels();
    t.true(kernels.available || kernels.reason.includes('processor'), JSON.stringify(kernels));
  },
);
