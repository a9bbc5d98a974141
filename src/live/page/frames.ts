/** Draws parts whose topics have changed, at most once a frame of the screen. */
import type { Snapshot } from '../protocol.ts';
import type { Topic } from '../view/run-view.ts';
import type { Part } from './part.ts';

export class Frames {
  readonly #parts: readonly Part[];
  readonly #now: () => Readonly<Snapshot>;
  readonly #changed = new Set<Topic>();
  #requested = false;

  constructor(parts: readonly Part[], now: () => Readonly<Snapshot>) {
    this.#parts = parts;
    this.#now = now;
  }

  changed(topics: readonly Topic[]): void {
    for (const topic of topics) this.#changed.add(topic);
    if (this.#requested || this.#changed.size === 0) return;
    this.#requested = true;
    requestAnimationFrame(() => this.#draw());
  }

  /** All parts in their new colours. */
  recolour(): void {
    for (const part of this.#parts) part.recolour?.();
  }

  #draw(): void {
    this.#requested = false;
    performance.mark('draw-begin');
    const now = this.#now();
    for (const part of this.#parts) {
      if (part.topics.some((topic) => this.#changed.has(topic))) part.draw(now);
    }
    this.#changed.clear();
    performance.measure('draw', 'draw-begin');
    performance.clearMarks('draw-begin');
    performance.clearMeasures('draw');
  }
}
