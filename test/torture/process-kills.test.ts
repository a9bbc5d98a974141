import test from 'ava';
import { killAndResume } from './process-kills.ts';

for (const seed of [2, 4, 5, 7, 11]) {
  test.serial(
    `a run whose process is killed again and again ends as one never stopped: seed ${seed}`,
    async (t) => {
      const { kills, mismatches } = await killAndResume(seed);
      t.log(`${kills} kills`);
      t.deepEqual(mismatches, []);
    },
  );
}
