/** How work is cut into parts. Pure. */

/** A run of consecutive items: streams of a lane, lanes of a shard, blocks of a range. */
export interface Span {
  readonly first: number;
  readonly count: number;
}

/** Part k of `parts` of `count` items: ⌊k·count/parts⌋ … ⌊(k+1)·count/parts⌋ − 1; may be empty. */
export function partOf(count: number, k: number, parts: number): Span {
  const first = Math.floor((k * count) / parts);
  return { first, count: Math.floor(((k + 1) * count) / parts) - first };
}
