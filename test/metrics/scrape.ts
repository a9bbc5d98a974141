/** What a scrape says, for tests. */
import type { Metrics } from '../../src/metrics/metrics.ts';
import type { StepRecord } from '../../src/metrics/records.ts';

/** The series of Threadloom as a map from `name{labels}` to its value, without the label `run`. */
export function parseSeries(text: string, run = 'r'): Map<string, number> {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (!line.startsWith('threadloom_')) continue;
    const space = line.lastIndexOf(' ');
    const name = line.slice(0, space);
    if (!name.includes(`run="${run}"`)) throw new Error(`Series without run="${run}": ${line}`);
    series.set(
      name
        .replace(/,?run="[^"]*"/, '')
        .replace('{}', '')
        .replace('{,', '{'),
      Number(line.slice(space + 1)),
    );
  }
  return series;
}

export async function seriesOf(metrics: Metrics, run?: string): Promise<Map<string, number>> {
  return parseSeries(await metrics.render(), run);
}

/** A step whose numbers are all different and exact in binary. */
export const STEP: StepRecord = {
  step: 41,
  epoch: 3,
  tokens: 26_240,
  stepTokens: 640,
  loss: 2.5,
  gradNorm: 1.75,
  clipScale: 0.5,
  lr: 0.125,
  tokensPerSecond: 20_480,
  secondsLeft: 12.5,
  phaseSeconds: { load: 0.03125, compute: 0.5, reduce: 0.0625, clip: 0.00006103515625 },
};
