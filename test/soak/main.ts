/** `npm run soak`: a long run, watched for anything that grows. Ends with 1 where something does. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { numberOf, runWithFlags, wholeOf } from '../../scripts/flags.ts';
import { formatBytes } from '../../src/bytes.ts';
import { expected, InputError } from '../../src/errors.ts';
import { TINY_SETTINGS } from '../helpers/runs.ts';
import { writeText } from '../helpers/text.ts';
import { MOST_COLLECTING, measureCollections, overcollecting } from './collections.ts';
import { measureLargeText, SAME_MEMORY_BYTES } from './large-text.ts';
import { watchLongRun } from './long-run.ts';
import { drawSoak } from './plot.ts';
import type { Sample, Sampler } from './sampler.ts';
import { fitWandering, grows } from './trend.ts';

const HELP = `npm run soak

Trains for long and watches memory, handles, threads, listeners and metrics; ends with 1 where something grows. Then trains with
a trace of garbage collection, and ends with 1 where a thread but the main one collects for 0.5% of the time or more. Then trains on a
large text and on a small one, and compares their memory.

  --steps      of the long run; 0 leaves it out (200000)
  --warm-up    steps of it that are not looked at (20000)
  --seconds    that the long run takes at most (3600)
  --gigabytes  size of the large text, 10^9 bytes; 0 leaves it out (10)
  --svg        file for the plot of memory and throughput (runs/soak.svg)
`;

const FLAGS = {
  steps: { type: 'string', default: '200000' },
  'warm-up': { type: 'string', default: '20000' },
  seconds: { type: 'string', default: '3600' },
  gigabytes: { type: 'string', default: '10' },
  svg: { type: 'string', default: 'runs/soak.svg' },
} as const;

/** A rise below this is no leak: V8 and the system hand out memory in pieces of 256 KiB. */
const LEAST_RISE_BYTES = 2 ** 19;
/** Of so many samples at either end the least counts: requests under way are handles too, and come and go. */
const END_SAMPLES = 10;

const failures: string[] = [];

await runWithFlags(HELP, FLAGS, async (flags) => {
  const steps = wholeOf('steps', flags.steps, { least: 0 });
  // In which code is compiled and heap and caches find their size.
  const warmUp = wholeOf('warm-up', flags['warm-up'], { least: 0 });
  if (steps > 0 && warmUp >= steps) {
    throw new InputError(expected(`--warm-up below --steps ${steps}`, warmUp));
  }
  const seconds = numberOf('seconds', flags.seconds, { least: 1 });
  const gigabytes = numberOf('gigabytes', flags.gigabytes, { least: 0 });
  const folder = mkdtempSync(join(tmpdir(), 'threadloom-'));
  try {
    if (steps > 0) await soak(folder, { steps, warmUp, seconds, svg: flags.svg });
    await collections();
    if (gigabytes > 0) await largeText(folder, gigabytes * 1e9);
  } finally {
    rmSync(folder, { recursive: true });
  }
  for (const failure of failures) console.log(`FAILED: ${failure}`);
  if (failures.length === 0) console.log('Nothing grows.');
  process.exitCode = failures.length > 0 ? 1 : 0;
});

function check(holds: boolean, failure: string): void {
  if (!holds) failures.push(failure);
}

interface LongRun {
  steps: number;
  /** Steps that are not looked at. */
  warmUp: number;
  seconds: number;
  /** File for the plot. */
  svg: string;
}

async function soak(folder: string, { steps, warmUp, seconds, svg }: LongRun): Promise<void> {
  const settings = {
    ...TINY_SETTINGS,
    files: [writeText(folder, 'text.txt', 20_000)],
    run: join(folder, 'r'),
    steps,
    evalEvery: 1000,
    // So that all that is kept of a run within bounds reaches them before the warm-up ends.
    gradientsEvery: 10,
    checkpointEvery: 500,
    metrics: true,
    metricsPort: 0,
  };
  const sampleFile = join(folder, 'samples.ndjson');
  const sampler = await watchLongRun({ settings, seconds, sampleFile });
  const samples = sampler.readSamples();
  const settled = samples.filter(({ step }) => step > warmUp);
  if (settled.length < 20) {
    throw new Error(
      `Expected 20 samples after step ${warmUp}, got ${settled.length}. Allow more --steps or --seconds.`,
    );
  }
  const [first] = settled;
  const last = settled[settled.length - 1];
  console.log(
    `${last.step} steps in ${last.seconds.toFixed(0)} s, ${settled.length} samples from step ${first.step} on`,
  );
  reportMemory(settled);
  reportCounts(settled, sampler);
  mkdirSync(dirname(svg), { recursive: true });
  writeFileSync(svg, drawSoak(samples));
  console.log(`plot               ${svg}`);
}

function reportMemory(samples: readonly Sample[]): void {
  const steps = samples.map(({ step }) => step);
  const leastSlope = LEAST_RISE_BYTES / (steps[steps.length - 1] - steps[0]);
  for (const [name, key] of [
    ['resident memory', 'residentBytes'],
    ['main heap', 'heapBytes'],
    ['main buffers', 'externalBytes'],
  ] as const) {
    const trend = fitWandering(
      steps,
      samples.map((sample) => sample[key]),
    );
    const { mean, slope, error } = trend;
    console.log(
      `${name.padEnd(18)} ${formatBytes(mean)}, slope ${slope.toFixed(3)} ± ${error.toFixed(3)} bytes a step`,
    );
    check(!grows(trend, leastSlope), `${name} grows`);
  }
  const speed = fitWandering(
    steps,
    samples.map(({ tokensPerSecond }) => tokensPerSecond),
  );
  console.log(
    `throughput         ${speed.mean.toFixed(0)} tokens a second, slope ${speed.slope.toExponential(1)} ± ${speed.error.toExponential(1)} a step`,
  );
}

function reportCounts(samples: readonly Sample[], sampler: Sampler): void {
  for (const key of ['handles', 'descriptors', 'threads', 'listeners'] as const) {
    const counts = samples.map((sample) => sample[key]);
    const before = Math.min(...counts.slice(0, END_SAMPLES));
    const after = Math.min(...counts.slice(-END_SAMPLES));
    console.log(`${key.padEnd(18)} ${before} at first, ${after} at last`);
    check(after <= before, `${key} grow from ${before} to ${after}`);
  }
  const [first] = samples;
  const last = samples[samples.length - 1];
  console.log(`series             ${first.series} at first, ${last.series} at last`);
  check(last.series === first.series, `series change from ${first.series} to ${last.series}`);
  check(last.series > 0, 'the metrics could not be read');
  check(sampler.failedScrapes === 0, `${sampler.failedScrapes} scrapes got no whole answer`);
  const [codeBefore, code] = [first, last].map(({ codeBytes }) => formatBytes(codeBytes));
  console.log(`compiled code      ${codeBefore} and ${code} in the main thread`);
  console.log(`scraped text       ${first.scrapeLength} and ${last.scrapeLength} characters`);
  console.log(`main collecting    ${(100 * sampler.collectionShare).toFixed(3)}% of the time`);
  for (const warning of sampler.warnings) check(false, `Node.js warns: ${warning}`);
}

async function collections(): Promise<void> {
  const measured = await measureCollections();
  const { seconds, threads } = measured;
  const shares = threads.map(({ share, collections: times }, i) => {
    return `${i === 0 ? 'main' : 'other'} ${(100 * share).toFixed(3)}% in ${times}`;
  });
  console.log(`collecting over 1,000 steps in ${seconds.toFixed(1)} s: ${shares.join(', ')}`);
  for (const { share } of overcollecting(measured)) {
    const most = `${100 * MOST_COLLECTING}%`;
    check(
      false,
      `a thread collects for ${(100 * share).toFixed(3)}% of the time, not below ${most}`,
    );
  }
}

async function largeText(folder: string, bytes: number): Promise<void> {
  const small = await measureLargeText(folder, 1e7);
  const large = await measureLargeText(folder, bytes);
  for (const { bytes: size, peakBytes, seconds } of [small, large]) {
    console.log(
      `a text of ${(size / 1e6).toFixed(0)} MB: at most ${formatBytes(peakBytes)} resident, ${seconds.toFixed(1)} s`,
    );
  }
  check(
    large.peakBytes - small.peakBytes < SAME_MEMORY_BYTES,
    'a large text takes more memory than a small one',
  );
}
