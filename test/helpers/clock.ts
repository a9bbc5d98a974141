import type { ExecutionContext } from 'ava';

/** Sets the clock of this process forward until the test ends, as after a sleep of the machine. For serial tests. */
export function laterBy(t: ExecutionContext, milliseconds: number): void {
  const { now } = Date;
  t.teardown(() => {
    Date.now = now;
  });
  Date.now = () => now() + milliseconds;
}
