/** A clock that all threads of a process share. */

/** Seconds of the machine's monotonic clock: those of two threads can be subtracted, which performance.now() does not promise. */
export function monotonicSeconds(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}
