/** What is wrong with the run now, and what to do. */
import type { Alert } from '../protocol.ts';
import { isOver } from '../view/run-view.ts';
import { element, setText } from './elements.ts';
import { type Part, section } from './part.ts';

const NOT_KEPT =
  'Not in a report: a run tells them while it trains, and its logs do not hold them.';

export function alertsPart(isReport: boolean): Part {
  const whole = section({ id: 'alerts', title: 'Alerts', wide: true });
  const critical = liveList('alert');
  const warnings = liveList('status');
  const none = element('p', { class: 'all-well' });
  // Read out as well: that all is well again.
  warnings.element.append(none);
  whole.append(critical.element, warnings.element);
  return {
    element: whole,
    topics: ['alerts', 'kind'],
    draw({ alerts, state }) {
      critical.show(alerts.filter(({ severity }) => severity === 'critical'));
      warnings.show(alerts.filter(({ severity }) => severity === 'warning'));
      whole.classList.toggle('quiet', alerts.length === 0);
      none.hidden = alerts.length > 0;
      setText(none, isReport ? NOT_KEPT : isOver(state) ? 'None: the run is over.' : 'No alert.');
    },
  };
}

/** Alerts in a live region: what is added to it is read out, so that what stays is left as it is. */
function liveList(role: 'alert' | 'status') {
  const region = element('div', { role, 'aria-atomic': 'false' });
  const shown = new Map<Alert['name'], ReturnType<typeof alertBox>>();
  return {
    element: region,
    show(alerts: readonly Alert[]) {
      const names = new Set(alerts.map(({ name }) => name));
      for (const [name, box] of shown) {
        if (names.has(name)) continue;
        box.element.remove();
        shown.delete(name);
      }
      for (const alert of alerts) {
        const box = shown.get(alert.name) ?? alertBox(alert);
        box.show(alert);
        if (shown.has(alert.name)) continue;
        shown.set(alert.name, box);
        region.append(box.element);
      }
    },
  };
}

function alertBox({ name, severity }: Alert) {
  const [what, advice, time] = [element('span'), element('p'), element('time')];
  return {
    element: element(
      'div',
      { class: `alert ${severity}` },
      element('p', { class: 'what' }, element('strong', {}, severity), ' ', what),
      advice,
      element('p', { class: 'name' }, `${name}, since `, time),
    ),
    show(alert: Alert) {
      setText(what, alert.message);
      setText(advice, alert.advice);
      const when = new Date(alert.since * 1000);
      if (time.dateTime !== when.toISOString()) time.dateTime = when.toISOString();
      // With its day: runs last for days.
      setText(time, when.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' }));
    },
  };
}
