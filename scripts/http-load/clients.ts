/**
 * The clients of http-load, in a process of their own, to 127.0.0.1 alone. Takes the plan of the load as JSON; `on` and `off` on
 * standard input begin and end it, which is answered with a line of what happened meanwhile. Ends with standard input.
 */
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { type HostileCounts, hostileRequests } from './hostile-requests.ts';
import { type ListenerCounts, listeners } from './listeners.ts';
import { type ScrapeCounts, scrapes } from './scrapes.ts';
import { type SlowCounts, slowConnections } from './slow-connections.ts';

// Scrapers are elsewhere: what they do themselves is not to be taken for what they cost.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

export interface LoadPlan {
  port: number;
  scrapesPerSecond: number;
  /** Else each scrape has a connection of its own. */
  keepsConnections: boolean;
  slowConnections: number;
  /** Of each kind. */
  hostilePerSecond: number;
  listeners: number;
}

/** What happened since the load was switched on. */
export interface LoadReport {
  seconds: number;
  /** Of the clients' own process, on the same cores as the training. */
  processorSeconds: number;
  scrapes: ScrapeCounts;
  slow: SlowCounts;
  hostile: HostileCounts;
  listeners: ListenerCounts;
}

const plan: LoadPlan = JSON.parse(process.argv[2]);

/** Begins the load. Returns how to end it. */
function begin(): () => LoadReport {
  const began = performance.now();
  const usage = process.cpuUsage();
  const { port } = plan;
  const slow = slowConnections(port, plan.slowConnections);
  const scraping = scrapes(port, plan.scrapesPerSecond, plan.keepsConnections);
  const hostile = hostileRequests(port, plan.hostilePerSecond);
  const listening = listeners(port, plan.listeners);
  return () => {
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(usage);
    return {
      seconds,
      processorSeconds: (user + system) / 1e6,
      scrapes: scraping.stop(),
      slow: slow.stop(),
      hostile: hostile.stop(),
      listeners: listening.stop(),
    };
  };
}

let end: (() => LoadReport) | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'on') end = begin();
  else process.stdout.write(`${JSON.stringify(end?.())}\n`);
}
