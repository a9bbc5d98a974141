/** Named values, each with a note. */
import type { Snapshot } from '../protocol.ts';
import { element, setText } from './elements.ts';

export type Tile = readonly [
  name: string,
  read: (now: Readonly<Snapshot>) => [value: string, note?: string],
];

export function tileList(tiles: readonly Tile[]) {
  const made = tiles.map(([name]) => {
    const [value, note] = [element('dd'), element('dd', { class: 'note' })];
    return { value, note, element: element('div', {}, element('dt', {}, name), value, note) };
  });
  return {
    element: element('dl', { class: 'tiles' }, ...made.map((tile) => tile.element)),
    show(now: Readonly<Snapshot>) {
      for (const [i, [, read]] of tiles.entries()) {
        const [value, note = ''] = read(now);
        setText(made[i].value, value);
        setText(made[i].note, note);
      }
    },
  };
}
