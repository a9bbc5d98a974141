/** Who computes what: the cutting of streams into lanes, lanes into shards and vectors into ranges. Pure. */
import { type Subtree, subtreesOf } from '../kernels/lane-tree.ts';
import { partOf, type Span } from '../reduce/part.ts';

export type { Span } from '../reduce/part.ts';

/** All parts of `count` items; see `partOf`. */
export function cut(count: number, parts: number): Span[] {
  return Array.from({ length: parts }, (_, k) => partOf(count, k, parts));
}

/** Consecutive items in `parts` spans of about equal cost: a span ends where the cost passes its share. */
export function cutByCost(costs: readonly number[], parts: number): Span[] {
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const spans: Span[] = [];
  let next = 0;
  let spent = 0;
  for (let part = 0; part < parts; part++) {
    const first = next;
    const limit = (total * (part + 1)) / parts;
    while (next < costs.length && (part === parts - 1 || spent + costs[next] / 2 <= limit)) {
      spent += costs[next++];
    }
    spans.push({ first, count: next - first });
  }
  return spans;
}

export interface ShardPlan {
  readonly lanes: Span;
  readonly streams: Span;
  /** The lanes again, as whole subtrees of the sum over all lanes. */
  readonly subtrees: readonly Subtree[];
}

/** Lanes and streams of each shard. Workers beyond the lanes get none: there are min(workers, lanes) shards. */
export function planShards(laneStreams: readonly Span[], workers: number): ShardPlan[] {
  const total = laneStreams.length;
  return cut(total, Math.min(workers, total)).map((lanes) => {
    const first = laneStreams[lanes.first].first;
    const last = laneStreams[lanes.first + lanes.count - 1];
    return {
      lanes,
      streams: { first, count: last.first + last.count - first },
      subtrees: subtreesOf(lanes.first, lanes.count, total),
    };
  });
}
