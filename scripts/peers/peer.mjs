/** What the peers written in JavaScript share: the workload they are given, their package, the clock, the result. */

/** cell, hidden, layers, batch (N), chunk (T), vocab, seconds: the one argument, JSON. */
export const workload = JSON.parse(process.argv[2]);

/** A package of scripts/peers/node_modules, which is there only where its user has installed it. */
export async function loadPackage(name) {
  const loaded = await import(name);
  return loaded.default ?? loaded;
}

/** Ids without pattern. */
export function makeIds(count, vocabulary) {
  return Array.from({ length: count }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 0).map(
    (bits) => (bits >>> 8) % vocabulary,
  );
}

/** Of the time that is measured, as every system has it. */
const WARMUP_SHARE = 0.2;

/** Prints tokens a second by the median step, after one step at least to warm up. */
export function reportSteps(step, tokensPerStep, leastSteps) {
  const timed = () => {
    const started = performance.now();
    step();
    return (performance.now() - started) / 1000;
  };
  const timedFor = (duration, least) => {
    const seconds = [];
    const end = performance.now() + duration * 1000;
    while (seconds.length < least || performance.now() < end) seconds.push(timed());
    return seconds;
  };
  timedFor(WARMUP_SHARE * workload.seconds, 1);
  const seconds = timedFor(workload.seconds, leastSteps);
  seconds.sort((a, b) => a - b);
  const half = seconds.length / 2;
  const median = (seconds[Math.ceil(half) - 1] + seconds[Math.floor(half)]) / 2;
  const result = {
    tokensPerSecond: tokensPerStep / median,
    steps: seconds.length,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
