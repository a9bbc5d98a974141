/** A part of the page, and the frame that parts are drawn in. */
import type { Snapshot } from '../protocol.ts';
import type { Topic } from '../view/run-view.ts';
import { element } from './elements.ts';

export interface Part {
  readonly element: HTMLElement;
  /** What it shows; it is drawn anew when one of these has changed. */
  readonly topics: readonly Topic[];
  draw(now: Readonly<Snapshot>): void;
  /** Colours have changed. */
  recolour?(): void;
}

export interface PartOptions {
  id: string;
  title: string;
  /** Unit or meaning of what is shown, beside the title. */
  unit?: string;
  wide?: boolean;
}

/** A section with its heading; controls stand at the right of it. */
export function section({ id, title, unit, wide }: PartOptions, ...controls: HTMLElement[]) {
  const heading = element('h2', { id: `${id}-title` }, title);
  const head = element('div', { class: 'head' }, heading);
  if (unit) head.append(element('span', { class: 'unit' }, unit));
  if (controls.length > 0) head.append(element('div', { class: 'controls' }, ...controls));
  return element(
    'section',
    { class: wide ? 'card wide' : 'card', id, 'aria-labelledby': `${id}-title` },
    head,
  );
}

/** What stands where there is nothing to show yet. */
export function emptyState(text: string): HTMLElement {
  return element('p', { class: 'empty' }, text);
}
