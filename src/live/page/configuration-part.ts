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
      place.replaceChildren(
        table('The run', ['what', 'value'], factsOf(run)),
        table(
          'Settings',
          ['flag', 'value'],
          run.settings.map(({ flag, value }) => [element('code', {}, flag), value]),
        ),
      );
    },
  };
}

function factsOf(run: RunDescription): [string, string][] {
  const kernels = [run.backend, run.variant].filter(Boolean).join(', ');
  return [
    ['run', run.run],
    ['cell', run.cell],
    ['parameters', formatCount(run.parameters)],
    ['vocabulary', formatCount(run.vocabulary)],
    ['steps', `${formatCount(run.totalSteps)}, ${formatCount(run.stepsPerEpoch)} an epoch`],
    ['workers', `${formatCount(run.workers)}, ${formatCount(run.lanes)} lanes`],
    ['kernels', kernels],
    ['Threadloom', run.version],
  ];
}
