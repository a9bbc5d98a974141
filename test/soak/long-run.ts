/** One long run of small steps through the library, watched. */
import type { Settings } from '../../src/config/config.ts';
import { train } from '../../src/recipes/train.ts';
import { Sampler } from './sampler.ts';

/** Between two samples. */
const EVERY_SECONDS = 0.25;

export interface LongRunRequest {
  settings: Settings;
  /** The run ends after so many, or after so many steps. */
  seconds: number;
  /** A new file, for the samples. */
  sampleFile: string;
}

/** Trains with metrics on, which are scraped at every sample. Returns once the run has ended. */
export async function watchLongRun({
  settings,
  seconds,
  sampleFile,
}: LongRunRequest): Promise<Sampler> {
  const controller = new AbortController();
  const sampler = new Sampler(sampleFile, controller.signal);
  let url: string | undefined;
  let nextSample = 0;
  let scraping: Promise<void> | undefined;
  await train(settings, {
    signal: controller.signal,
    onPlan: ({ metricsUrl }) => {
      url = metricsUrl;
      sampler.start();
    },
    onStep: ({ step, tokensPerSecond }) => {
      if (sampler.seconds > seconds) controller.abort();
      if (sampler.seconds < nextSample || scraping) return;
      nextSample = sampler.seconds + EVERY_SECONDS;
      sampler.sample(step, tokensPerSecond);
      scraping = sampler.scrape(url!).finally(() => {
        scraping = undefined;
      });
    },
  });
  await scraping;
  return sampler;
}
