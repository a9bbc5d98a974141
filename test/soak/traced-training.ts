/** Run with --trace-gc: trains 1,000 steps between two marks on standard output, after some that warm up. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { train } from '../../src/recipes/train.ts';
import { writeText } from '../helpers/text.ts';
import { FIRST_MARK, LAST_MARK } from './collections.ts';

const WARM_UP = 200;
const WATCHED = 1000;

const folder = mkdtempSync(join(tmpdir(), 'threadloom-'));
try {
  let began = 0;
  await train(
    {
      files: [writeText(folder, 'text.txt', 200_000)],
      run: join(folder, 'r'),
      hidden: 64,
      embed: 32,
      batch: 16,
      chunk: 32,
      steps: WARM_UP + WATCHED,
      evalEvery: WARM_UP + WATCHED,
      metricsPort: 0,
    },
    {
      onStep: ({ step }) => {
        if (step === WARM_UP) {
          began = performance.now();
          console.log(FIRST_MARK);
        }
        if (step === WARM_UP + WATCHED) {
          console.log(`${LAST_MARK} ${(performance.now() - began) / 1000}`);
        }
      },
    },
  );
} finally {
  rmSync(folder, { recursive: true });
}
