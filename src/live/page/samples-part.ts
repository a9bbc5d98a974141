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
  return {
    element: whole,
    topics: ['samples', 'run', 'state'],
    draw(now) {
      const samples = now.samples.toReversed();
      empty.hidden = samples.length > 0;
      if (samples.length === 0) setText(empty, missingSamples(now));
      const rest = samples.slice(SHOWN);
      newest.replaceChildren(...samples.slice(0, SHOWN).map(sampleOf));
      older.replaceChildren(...rest.map(sampleOf));
      earlier.hidden = rest.length === 0;
      setText(earlier.firstElementChild as Element, `${rest.length} earlier`);
    },
  };
}

function sampleOf({ step, text }: SampleRecord): HTMLElement {
  const heading = element('h3', {}, `After ${formatCount(step)} ${step === 1 ? 'step' : 'steps'}`);
  return element('article', {}, heading, element('pre', {}, text));
}
