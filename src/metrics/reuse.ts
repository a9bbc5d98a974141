/** A result that is shared. */
export interface Reused<T> {
  read(): Promise<T>;
  /** The next call is given a new one. */
  forget(): void;
}

/**
 * `produce`, with its result shared by all calls while it is under way and for `milliseconds` after
 * that. A failure is handed to all who wait for it and not kept. Pure but for the clock.
 */
export function reuse<T>(
  produce: () => Promise<T>,
  milliseconds: number,
  now: () => number = () => performance.now(),
): Reused<T> {
  let last: Promise<T> | undefined;
  let lastUntil = 0;
  const forget = () => {
    last = undefined;
  };
  const read = () => {
    if (last && now() < lastUntil) return last;
    const current = produce();
    last = current;
    lastUntil = Number.POSITIVE_INFINITY;
    current.then(
      () => {
        if (last === current) lastUntil = now() + milliseconds;
      },
      () => {
        if (last === current) forget();
      },
    );
    return current;
  };
  return { read, forget };
}
