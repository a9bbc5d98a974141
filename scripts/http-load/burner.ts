/** Takes as much of the processor as the clients do, at the same pace, and asks nobody for anything. */
import { TICK_MILLISECONDS } from './pace.ts';

/** `share`: processor seconds of this process a second. Returns how to stop. */
export function burn(share: number): () => void {
  const began = performance.now();
  const usage = process.cpuUsage();
  const timer = setInterval(() => {
    const due = (share * (performance.now() - began)) / 1000;
    while (processorSeconds(process.cpuUsage(usage)) < due);
  }, TICK_MILLISECONDS);
  return () => clearInterval(timer);
}

export function processorSeconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6;
}
