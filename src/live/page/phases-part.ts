/** Where the time of a step goes: stacked over steps, and as a table of means. */
import { formatSeconds, formatShare } from '../../numbers.ts';
import type { Snapshot } from '../protocol.ts';
import {
  type PhaseShare,
  phaseColour,
  phaseShares,
  phaseStretches,
  stacked,
} from '../view/phases.ts';
import { CurvesPart } from './curves-part.ts';
import { element, setText, table } from './elements.ts';
import { swatch } from './legend.ts';
import type { Part } from './part.ts';

export function phasesPart(): Part {
  const means = meansTable();
  const curves = new CurvesPart({
    id: 'phases',
    title: 'Time of a step',
    unit: 'by phase',
    topics: ['run', 'points'],
    fromZero: true,
    formatAxis: formatSeconds,
    curves: ({ run, points }) =>
      phaseShares(run.phases, points).map(({ phase }) => ({
        name: phase,
        colour: phaseColour(phase),
        format: formatSeconds,
        look: 'area' as const,
      })),
    read: ({ run, points }) => {
      if (points.length === 0) return 'No step has been taken yet.';
      const stretches = phaseStretches(points);
      const shares = phaseShares(run.phases, points);
      if (shares.length === 0) return 'The time of the steps is not known.';
      const rows = shares.map(({ index }) =>
        stretches.map(({ phaseSeconds }) => phaseSeconds[index] ?? 0),
      );
      const most = shares.reduce((a, b) => (b.share > a.share ? b : a));
      const whole = shares.reduce((sum, { seconds }) => sum + seconds, 0);
      return {
        steps: stretches.map(({ step }) => step),
        values: rows,
        drawn: stacked(rows),
        summary: `A step takes ${formatSeconds(whole)} in the mean, ${formatShare(most.share)} of it ${most.phase}.`,
      };
    },
  });
  curves.element.append(means.element);
  return {
    element: curves.element,
    topics: curves.topics,
    draw(now) {
      curves.draw(now);
      means.show(now);
    },
    recolour: () => curves.recolour(),
  };
}

/** Made anew where other phases have taken time; else its numbers alone change. */
function meansTable() {
  const place = element('div', { class: 'means' });
  let cells: { phase: string; time: HTMLElement; part: HTMLElement }[] = [];
  const make = (shares: readonly PhaseShare[]) => {
    cells = shares.map(({ phase }) => ({ phase, time: element('span'), part: element('span') }));
    const rows = shares.map(({ phase }, i) => [
      element('span', {}, swatch(phaseColour(phase), 'area'), phase),
      cells[i].time,
      cells[i].part,
    ]);
    place.replaceChildren(table('Mean over all steps', ['phase', 'time a step', 'share'], rows));
  };
  return {
    element: place,
    show({ run, points }: Readonly<Snapshot>) {
      const shares = phaseShares(run.phases, points);
      place.hidden = shares.length === 0;
      if (shares.map(phaseOf).join() !== cells.map(phaseOf).join()) make(shares);
      for (const [i, { seconds, share }] of shares.entries()) {
        setText(cells[i].time, formatSeconds(seconds));
        setText(cells[i].part, formatShare(share));
      }
    },
  };
}

function phaseOf({ phase }: { phase: string }): string {
  return phase;
}
