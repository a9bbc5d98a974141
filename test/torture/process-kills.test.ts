import test from 'ava';
import { killAndResume } from './process-kills.ts';

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test.serial(
    `a run whose process is killed again and again ends as one never stopped: seed ${seed}`,
    async (t) => {
      const { kills, mismatches } = await killAndResume(seed);
      t.log(`${kills} kills`);
      t.deepEqual(mismatches, []);
    },
  );
}
