/** What is wrong with the run now, and what to do. */
import type { Alert } from '../protocol.ts';
import { isOver } from '../view/run-view.ts';
import { element } from './elements.ts';
import { type Part, section } from './part.ts';

export function alertsPart(): Part {
  const whole = section({ id: 'alerts', title: 'Alerts', wide: true });
  const critical = element('div', { role: 'alert' });
  const warnings = element('div', { role: 'status' });
  whole.append(critical, warnings);
  let shown = '';
  return {
    element: whole,
    topics: ['alerts', 'state'],
    draw({ alerts, state }) {
      const none = isOver(state) ? 'None: the run is over.' : 'No alert.';
      const now = JSON.stringify([alerts, none]);
      if (now === shown) return; // Else it would be read out again.
      shown = now;
      const of = (severity: Alert['severity']) =>
        alerts.filter((alert) => alert.severity === severity).map(alertOf);
      critical.replaceChildren(...of('critical'));
      warnings.replaceChildren(...of('warning'));
      whole.classList.toggle('quiet', alerts.length === 0);
      if (alerts.length === 0) warnings.append(element('p', { class: 'all-well' }, none));
    },
  };
}

function alertOf({ name, severity, since, message, advice }: Alert): HTMLElement {
  const when = new Date(since * 1000);
  const time = element('time', { datetime: when.toISOString() }, when.toLocaleTimeString());
  return element(
    'div',
    { class: `alert ${severity}` },
    element('p', { class: 'what' }, element('strong', {}, severity), ` ${message}`),
    element('p', {}, advice),
    element('p', { class: 'name' }, `${name}, since `, time),
  );
}
