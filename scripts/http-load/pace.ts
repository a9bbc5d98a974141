/** Work that is done so many times a second. */
export const TICK_MILLISECONDS = 50;

/** Begins `work` as often as is due, twenty times a second all that is due then. Returns how to stop. */
export function atPace(perSecond: number, work: () => void): () => void {
  const began = performance.now();
  let done = 0;
  const timer = setInterval(() => {
    const due = (perSecond * (performance.now() - began)) / 1000;
    for (; done < due; done++) work();
  }, TICK_MILLISECONDS);
  return () => clearInterval(timer);
}
