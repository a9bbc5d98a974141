/** Gives the memory of what is no longer used back to the system, so that one measurement does not count in the next. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** An arena is freed with the last object that refers to it, which only a collection of garbage finds. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
