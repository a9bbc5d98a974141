/**
 * The clients of http-load, in a process of their own, to 127.0.0.1 alone. Takes the plan of the load as JSON. On standard input
 * `load` begins it, `burn` as much work of the processor as the last load was, without a client, `idle` nothing, and `end` ends any, which is
 * answered with a line of what happened meanwhile. Ends with standard input.
 */
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { burn, processorSeconds } from './burner.ts';
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

/** What this process has taken of the cores on which the training runs. */
export interface Usage {
  seconds: number;
  processorSeconds: number;
}

/** What happened since the load began. */
export interface LoadReport extends Usage {
  scrapes: ScrapeCounts;
  slow: SlowCounts;
  hostile: HostileCounts;
  listeners: ListenerCounts;
}

const plan: LoadPlan = JSON.parse(process.argv[2]);

/** Begins the load. Returns how to end it. */
function load(): () => Omit<LoadReport, keyof Usage> {
  const { port } = plan;
  const slow = slowConnections(port, plan.slowConnections);
  const scraping = scrapes(port, plan.scrapesPerSecond, plan.keepsConnections);
  const hostile = hostileRequests(port, plan.hostilePerSecond);
  const listening = listeners(port, plan.listeners);
  return () => ({
    scrapes: scraping.stop(),
    slow: slow.stop(),
    hostile: hostile.stop(),
    listeners: listening.stop(),
  });
}

function startUsage(): () => Usage {
  const began = performance.now();
  const usage = process.cpuUsage();
  return () => ({
    seconds: (performance.now() - began) / 1000,
    processorSeconds: processorSeconds(process.cpuUsage(usage)),
  });
}

/** Processor seconds a second of the last load. */
let share = 0;
let end: () => Usage | LoadReport = startUsage();
for await (const line of createInterface({ input: process.stdin })) {
  const usage = line === 'end' ? undefined : startUsage();
  if (!usage) {
    process.stdout.write(`${JSON.stringify(end())}\n`);
  } else if (line === 'load') {
    const endLoad = load();
    end = () => {
      const used = usage();
      share = used.processorSeconds / used.seconds;
      return { ...used, ...endLoad() };
    };
  } else if (line === 'idle') {
    end = usage;
  } else {
    const stop = burn(share);
    end = () => {
      stop();
      return usage();
    };
  }
}
