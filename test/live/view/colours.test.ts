import { readFileSync } from 'node:fs';
import test from 'ava';
import { phaseColour } from '../../../src/live/view/phases.ts';
import { PHASES } from '../../../src/metrics/catalogue.ts';

const SHEET = new URL('../../../../src/live/page/page.css', import.meta.url);
/** Linear red, green, blue of `#rrggbb`. */
const linear = (hex: string) =>
  [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });

/** As WCAG computes it. */
function contrast(a: string, b: string): number {
  const luminance = ([r, g, b]: number[]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const [low, high] = [luminance(linear(a)), luminance(linear(b))].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** Björn Ottosson, OKLab: distances in it are about those that are seen. */
function oklab([r, g, b]: number[]): number[] {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** Colours of the light theme, then of the dark one, by their names. */
const themes = readFileSync(SHEET, 'utf8')
  .split(':root[data-theme="dark"]')
  .map(
    (text) =>
      new Map([...text.matchAll(/(--\w+): (#\w{6});/g)].map(([, name, hex]) => [name, hex])),
  );

test('every phase has a colour of its own', (t) => {
  t.is(new Set(PHASES.map(phaseColour)).size, PHASES.length);
  t.is(phaseColour('unheard of'), phaseColour('load'));
});

for (const [theme, colours] of [['light', themes[0]] as const, ['dark', themes[1]] as const]) {
  test(`colours of curves stand out from the card and from one another: ${theme}`, (t) => {
    const curves = [...colours].filter(([name]) => /^--c\d+$/.test(name));
    const card = colours.get('--card') as string;
    t.is(curves.length, 10);
    for (const [i, [name, hex]] of curves.entries()) {
      t.true(contrast(hex, card) >= 3, name);
      for (const [other, otherHex] of curves.slice(0, i)) {
        const [a, b] = [oklab(linear(hex)), oklab(linear(otherHex))];
        const distance = Math.hypot(...a.map((value, axis) => value - b[axis]));
        t.true(distance > 0.07, `${name} and ${other} are ${distance} apart`);
      }
    }
  });
}
