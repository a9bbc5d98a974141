/** Text that the model wrote as it trained, the newest first. */

import type { SampleRecord } from '../../metrics/records.ts';
import { formatCount } from '../../numbers.ts';
import { missingSamples } from '../view/missing.ts';
import { element, setText } from './elements.ts';
import { emptyState, type Part, section } from './part.ts';

/** Shown without being asked for. */
const SHOWN = 2;

export function samplesPart(): Part {
  const whole = section({
    id: 'samples',
    title: 'Samples',
    unit: 'text drawn from the model',
    wide: true,
  });
  const empty = emptyState('');
  const newest = element('div', { class: 'samples' });
  const earlier = element('details', {}, element('summary'));
  const older = element('div', { class: 'samples' });
  earlier.append(older);
  whole.append(empty, newest, earlier);
  let shown: readonly SampleRecord[] | undefined;
  return {
    element: whole,
    topics: ['samples', 'run', 'kind'],
    draw(now) {
      empty.hidden = now.samples.length > 0;
      if (now.samples.length === 0) setText(empty, missingSamples(now));
      const samples = now.samples.toReversed();
      // Else a selection in them would be lost, and how far they are scrolled.
      if (isSame(samples, shown)) return;
      shown = samples;
      const rest = samples.slice(SHOWN);
      newest.replaceChildren(...samples.slice(0, SHOWN).map(sampleOf));
      older.replaceChildren(...rest.map(sampleOf));
      earlier.hidden = rest.length === 0;
      setText(earlier.firstElementChild as Element, `${rest.length} earlier`);
    },
  };
}

function isSame(now: readonly SampleRecord[], before?: readonly SampleRecord[]): boolean {
  return (
    now.length === before?.length &&
    now.every(({ step, text }, i) => step === before[i].step && text === before[i].text)
  );
}

function sampleOf({ step, text }: SampleRecord): HTMLElement {
  const heading = element('h3', {}, `After ${formatCount(step)} ${step === 1 ? 'step' : 'steps'}`);
  return element('article', {}, heading, element('pre', {}, text));
}
