/**
 * S unless --lanes is given: one lane for each 8 streams, from 8 (or N) to 64. A function of the batch, not of the machine, so that
 * a command gives the same bits everywhere: a machine of more cores needs the larger batch anyway, as a worker with fewer streams
 * would spend its time reading weights.
 */
export function defaultLanes(streams: number): number {
  return Math.min(streams, 64, Math.max(8, Math.floor(streams / 8)));
}
