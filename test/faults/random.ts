/** Draws that a seed repeats. */
import { type Job, MANNERS, type Manner, type Order } from './orders.ts';

export type Draw = (below: number) => number;

/** Whole numbers below a limit, from a seed (mulberry32). */
export function drawsOf(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

export function pick<Item>(draw: Draw, items: readonly Item[]): Item {
  return items[draw(items.length)];
}

/** Hanging and running out of memory take long, so they are drawn rarely. */
function drawManner(draw: Draw): Manner {
  return draw(12) === 0 ? pick(draw, MANNERS) : pick(draw, ['exit', 'throw', 'terminate'] as const);
}

/** 1 to `most` orders at the first `spared` of their jobs; no job is hit more than twice, so no run may fail of them. */
export function drawOrders(
  draw: Draw,
  jobs: readonly Job[],
  most: number,
  spared: number,
): Order[] {
  const count = 1 + draw(most);
  const drawn = Array.from(
    { length: count },
    (): Order => ({
      manner: drawManner(draw),
      job: pick(draw, jobs),
      when: draw(2) === 0 ? 'before' : 'after',
      shard: draw(3) - 1,
      spare: draw(spared),
    }),
  );
  return drawn.filter(
    ({ job }, i) => drawn.slice(0, i).filter((other) => other.job === job).length < 2,
  );
}
