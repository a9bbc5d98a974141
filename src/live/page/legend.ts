/** Names, colours and values of a chart's curves. */
import { element, setText } from './elements.ts';
import type { Curve } from './plot.ts';

interface Entry {
  name: string;
  output: HTMLElement;
  /** Its value from those of all curves. */
  pick(values: readonly string[]): string;
}

export class Legend {
  readonly element = element('div', { class: 'legend' });
  readonly #where = element('span', { class: 'where' });
  #entries: Entry[] = [];

  /** The two edges of a band are one entry, after the others. */
  name(curves: readonly Curve[]): void {
    this.#entries = [];
    const lines = curves.flatMap((curve, i) =>
      curve.look === 'edge' ? [] : [this.#entry(curve, curve.name, (values) => values[i])],
    );
    const edge = curves.findIndex(({ look }) => look === 'edge');
    if (edge >= 0) {
      lines.push(
        this.#entry(curves[edge], 'range', (values) => rangeOf(values[edge + 1], values[edge])),
      );
    }
    this.element.replaceChildren(this.#where, ...lines);
  }

  /** `where`: which step they are of. */
  show(where: string, values: readonly string[]): void {
    setText(this.#where, where);
    for (const { output, pick } of this.#entries) setText(output, pick(values));
  }

  /** All that it shows, as it is read out. */
  get text(): string {
    const values = this.#entries.map(({ name, output }) => `${name} ${output.textContent}`);
    return `${this.#where.textContent}: ${values.join(', ')}`;
  }

  #entry({ colour, look = 'line' }: Curve, name: string, pick: Entry['pick']): HTMLElement {
    const output = element('b');
    this.#entries.push({ name, output, pick });
    return element('span', { class: 'entry' }, swatch(colour, look), `${name} `, output);
  }
}

function rangeOf(low: string, high: string): string {
  return low === high ? low : `${low} – ${high}`;
}

/** A stroke in the colour and look of a curve. */
export function swatch(colour: string, look: string): HTMLElement {
  const stroke = element('span', { class: `swatch ${look}`, 'aria-hidden': 'true' });
  stroke.style.setProperty('--swatch', `var(${colour})`);
  return stroke;
}
