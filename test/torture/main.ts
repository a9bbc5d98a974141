/**
 * `npm run torture -- --minutes 10 [--seed 1]`: draws faults until the time is up and prints what came of them. Exits 1 where
 * a run did not end as an undisturbed one.
 */
import { parseArgs } from 'node:util';
import { addReport, emptyReport, formatReport } from './report.ts';
import { SCENARIOS } from './scenarios.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});
const [minutes, first] = [Number(values.minutes), Number(values.seed)];
if (!(minutes > 0) || !Number.isSafeInteger(first)) {
  console.error(
    `Expected --minutes above 0 and a whole --seed, got ${values.minutes} and ${values.seed}.`,
  );
  process.exit(2);
}

const total = emptyReport();
const ends = performance.now() + 60_000 * minutes;
let seed = first;
for (; performance.now() < ends; seed++) {
  for (const { name, run } of SCENARIOS) {
    const report = await run(seed);
    const mismatches = report.mismatches.map((what) => `seed ${seed}, ${name}: ${what}`);
    for (const mismatch of mismatches) console.error(mismatch);
    addReport(total, name, { ...report, mismatches });
  }
}
console.log(`${minutes} minutes of torture, seeds ${first} to ${seed - 1}\n${formatReport(total)}`);
process.exitCode = total.mismatches.length > 0 ? 1 : 0;
