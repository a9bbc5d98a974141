/**
 * S unless --lanes is given: 8 lanes (or N) for each 64 streams, up to 64, so that 2, 4 and 8 workers have equally many. A function of
 * the batch, not of the machine, so that a command gives the same bits everywhere: a machine of more cores needs the larger batch
 * anyway, as a worker with fewer streams would spend its time reading weights.
 */
export function defaultLanes(streams: number): number {
  return Math.min(streams, 64, 8 * Math.max(1, Math.floor(streams / 64)));
}
