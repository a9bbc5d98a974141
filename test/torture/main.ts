/** `npm run torture`: draws faults until the time is up and prints what came of them. */
import { numberOf, runWithFlags, wholeOf } from '../../scripts/flags.ts';
import { addReport, emptyReport, formatReport, hasPassed } from './report.ts';
import { SCENARIOS } from './scenarios.ts';

const HELP = `npm run torture -- --minutes 10

Trains with faults drawn at random until the time is up; ends with 1 where a run did not end as an undisturbed one, or took
more than a second to go on after a death.

  --minutes  how long (10)
  --seed     the first one; a failure names the seed that repeats it (1)
`;

const FLAGS = {
  minutes: { type: 'string', default: '10' },
  seed: { type: 'string', default: '1' },
} as const;

await runWithFlags(HELP, FLAGS, (flags) =>
  torture(
    numberOf('minutes', flags.minutes, { least: 0.1 }),
    wholeOf('seed', flags.seed, { least: 0 }),
  ),
);

async function torture(minutes: number, first: number): Promise<void> {
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
  console.log(
    `${minutes} minutes of torture, seeds ${first} to ${seed - 1}\n${formatReport(total)}`,
  );
  process.exitCode = hasPassed(total) ? 0 : 1;
}
