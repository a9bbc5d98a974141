/** How much of a sample is kept to be shown. Pure. */
import type { SampleRecord } from '../metrics/records.ts';
import { formatCount } from '../numbers.ts';

const MAX_CHARACTERS = 20_000;

/** A short sample as it is; the beginning of a long one, and how much of it is left out: its log holds it all. */
export function shortened({ step, text }: SampleRecord): SampleRecord {
  if (text.length <= MAX_CHARACTERS) return { step, text };
  // Not in the middle of a character that takes two places.
  const kept = text.slice(0, MAX_CHARACTERS).replace(/[\uD800-\uDBFF]$/, '');
  const rest = formatCount(text.length - kept.length);
  return { step, text: `${kept}\n… and ${rest} characters more, in samples.ndjson` };
}
