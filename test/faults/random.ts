/** Draws that a seed repeats. */
import { ACTOR_OF, type Job, MANNERS, type Manner, MOMENTS, type Order } from './orders.ts';

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

/** Which orders to draw. */
export interface OrderKinds {
  jobs: readonly Job[];
  /** Orders at most, and at most for one job: the third death of a task may end the run. */
  most: number;
  mostOfJob: number;
  /** How many jobs of a kind there may be before the one that is hit. */
  spared(job: Job): number;
}

export function drawOrders(draw: Draw, { jobs, most, mostOfJob, spared }: OrderKinds): Order[] {
  const drawn = Array.from({ length: 1 + draw(most) }, (): Order => {
    const job = pick(draw, jobs);
    return {
      manner: drawManner(draw),
      job,
      when: pick(draw, MOMENTS),
      shard: ACTOR_OF[job] ? -1 : draw(3) - 1,
      spare: draw(1 + spared(job)),
    };
  });
  const before = (order: Order) =>
    drawn.slice(0, drawn.indexOf(order)).filter(({ job }) => job === order.job);
  return drawn.filter((order) => before(order).length < mostOfJob);
}
