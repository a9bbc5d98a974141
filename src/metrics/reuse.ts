/**
 * `produce`, with its result shared by all calls while it is under way and for `milliseconds` after
 * that. A failure is handed to all who wait for it and not kept. Pure but for the clock.
 */
export function reuse<T>(
  produce: () => Promise<T>,
  milliseconds: number,
  now: () => number = () => performance.now(),
): () => Promise<T> {
  let last: Promise<T> | undefined;
  let lastUntil = 0;
  return () => {
    if (last && now() < lastUntil) return last;
    const current = produce();
    last = current;
    lastUntil = Number.POSITIVE_INFINITY;
    current.then(
      () => {
        lastUntil = now() + milliseconds;
      },
      () => {
        last = undefined;
      },
    );
    return current;
  };
}
