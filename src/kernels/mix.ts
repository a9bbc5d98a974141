/**
 * Counter-based random bits: a number is a pure function of its key, never of what was drawn before, so
 * that threads, restarts and any cut of the work agree. Pure.
 */

/** Bijective scrambling of 32 bits; "lowbias32" of C. Wellons, Prospecting for Hash Functions (2018). */
export function mix(bits: number): number {
  let x = bits | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** Weyl increments that separate the counters of rows and of units before they are mixed. */
export const ROW_STEP = 0x9e3779b9;
export const UNIT_STEP = 0x85ebca6b;

/** One 32-bit key from any number of integers, order mattering; integers beyond 32 bits count whole. */
export function mixKey(...parts: readonly number[]): number {
  let key = 0x6a09e667;
  for (const part of parts) {
    key = mix(key ^ (part | 0));
    key = mix(key + Math.floor(part / 2 ** 32) + ROW_STEP);
  }
  return key;
}

/** A double in [0, 1) from 53 bits of key and counter. */
export function uniform(key: number, counter: number): number {
  const high = mix(mix(key ^ Math.imul(counter, ROW_STEP)) + UNIT_STEP) >>> 5;
  const low = mix(mix(key + 0x51ed270b) ^ Math.imul(counter, UNIT_STEP)) >>> 6;
  return (high * 2 ** 26 + low) * 2 ** -53;
}

/** A standard normal number from key and counter. Box & Muller 1958. */
export function normal(key: number, counter: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(key, 2 * counter)));
  return radius * Math.cos(2 * Math.PI * uniform(key, 2 * counter + 1));
}
