/** Run with --trace-gc: trains 1,000 steps between two marks on standard output, after some that warm up. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { train } from '../../src/recipes/train.ts';
import { writeText } from '../helpers/text.ts';
import { FIRST_MARK, LAST_MARK } from './collections.ts';

const WARM_UP = 200;
const WATCHED = 1000;
/** Steps of 3 ms and more: of 1,000 shorter ones a single collection that the system interrupts would take 0.5% of the time. */
const SHAPE = { hidden: 128, embed: 128, batch: 50, chunk: 50 };

const folder = mkdtempSync(join(tmpdir(), 'threadloom-'));
try {
  let began = 0;
  await train(
    {
      files: [writeText(folder, 'text.txt', 200_000)],
      run: join(folder, 'r'),
      ...SHAPE,
      steps: WARM_UP + WATCHED,
      evalEvery: WARM_UP + WATCHED,
      // The server's thread gives way to those that train: a collection there lasts as long as it waits for a core.
      metrics: false,
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
