/** Who computes what: the cutting of streams into lanes, lanes into shards and vectors into ranges. Pure. */

/** A run of consecutive items: streams of a lane, lanes of a shard, blocks of a range. */
export interface Span {
  readonly first: number;
  readonly count: number;
}

/** Part k of `parts` holds items ⌊k·count/parts⌋ … ⌊(k+1)·count/parts⌋ − 1; parts may be empty. */
export function cut(count: number, parts: number): Span[] {
  return Array.from({ length: parts }, (_, k) => {
    const first = Math.floor((k * count) / parts);
    return { first, count: Math.floor(((k + 1) * count) / parts) - first };
  });
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
}

/** Lanes and streams of each shard. Workers beyond the lanes get none: there are min(workers, lanes) shards. */
export function planShards(laneStreams: readonly Span[], workers: number): ShardPlan[] {
  return cut(laneStreams.length, Math.min(workers, laneStreams.length)).map((lanes) => {
    const first = laneStreams[lanes.first].first;
    const last = laneStreams[lanes.first + lanes.count - 1];
    return { lanes, streams: { first, count: last.first + last.count - first } };
  });
}
