/** How busy each worker is. */
import { formatShare } from '../../numbers.ts';
import { recentBusyShares } from '../view/phases.ts';
import { isOver } from '../view/run-view.ts';
import { element, setText } from './elements.ts';
import { emptyState, type Part, section } from './part.ts';

const RECENT_POINTS = 20;

export function workersPart(isReport: boolean): Part {
  const whole = section({ id: 'workers', title: 'Workers', unit: 'share of the time in tasks' });
  const empty = emptyState('');
  const bars = element('ul', { class: 'bars' });
  const more = element('p', { class: 'summary' });
  whole.append(empty, bars, more);
  let rows: { bar: HTMLElement; text: HTMLElement }[] = [];
  return {
    element: whole,
    topics: ['points', 'run', 'kind'],
    draw({ points, run, state }) {
      const shares = recentBusyShares(points, RECENT_POINTS);
      empty.hidden = shares.length > 0;
      setText(
        empty,
        isReport || isOver(state) ? 'The logs of this run do not hold it.' : 'Not known yet.',
      );
      if (rows.length !== shares.length) {
        rows = shares.map(() => ({
          bar: element('span', { class: 'fill' }),
          text: element('span', { class: 'value' }),
        }));
        bars.replaceChildren(...rows.map(({ bar, text }, worker) => barOf(worker, bar, text)));
      }
      for (const [worker, share] of shares.entries()) {
        rows[worker].bar.style.width = `${Math.min(100, share * 100)}%`;
        setText(rows[worker].text, formatShare(share));
      }
      more.hidden = shares.length === 0 || shares.length >= run.workers;
      setText(more, `The first ${shares.length} of ${run.workers} workers.`);
    },
  };
}

function barOf(worker: number, bar: HTMLElement, text: HTMLElement): HTMLElement {
  const track = element('span', { class: 'track', 'aria-hidden': 'true' }, bar);
  return element('li', {}, element('span', { class: 'name' }, `worker ${worker}`), track, text);
}
