/** What is trained, with which settings. */
import { formatCount } from '../../numbers.ts';
import type { RunDescription } from '../protocol.ts';
import { element, table } from './elements.ts';
import { type Part, section } from './part.ts';

export function configurationPart(): Part {
  const whole = section({ id: 'configuration', title: 'Configuration', wide: true });
  const place = element('div', { class: 'tables' });
  whole.append(place);
  return {
    element: whole,
    topics: ['run'],
    draw({ run }) {
      const half = Math.ceil(run.settings.length / 2);
      place.replaceChildren(
        table('The run', ['what', 'value'], factsOf(run)),
        settingsTable('Settings', run.settings.slice(0, half)),
        settingsTable('More settings', run.settings.slice(half)),
      );
    },
  };
}

function settingsTable(caption: string, settings: RunDescription['settings']): HTMLTableElement {
  const rows = settings.map(({ flag, value }) => [element('code', {}, flag), value]);
  return table(caption, ['flag', 'value'], rows);
}

function factsOf(run: RunDescription): [string, string][] {
  const kernels = run.variant.startsWith(run.backend)
    ? run.variant
    : [run.backend, run.variant].filter(Boolean).join(', ');
  return [
    ['run', run.run],
    ['cell', run.cell],
    ['parameters', known(run.parameters)],
    ['vocabulary', known(run.vocabulary)],
    ['steps', `${known(run.totalSteps)}, ${known(run.stepsPerEpoch)} an epoch`],
    ['workers', `${formatCount(run.workers)}, ${formatCount(run.lanes)} lanes`],
    ['kernels', kernels || '–'],
    ['Threadloom', run.version],
  ];
}

/** While a run starts, what is not known yet is 0. */
function known(count: number): string {
  return count === 0 ? '–' : formatCount(count);
}
