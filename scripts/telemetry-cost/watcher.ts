/**
 * Those who watch the training with telemetry, in a process of their own: a page that takes its events, and a scraper. Takes the
 * URL of the metrics. `on` and `off` on standard input begin and end the scraping; at the end of standard input it tells what
 * was answered, as JSON, and ends.
 */
import { spawnSync } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';

const SCRAPE_MILLISECONDS = 1000;
const metricsUrl = process.argv[2];

export interface Watched {
  /** Scrapes that got a whole answer. */
  scrapes: number;
  eventBytes: number;
  /** Of the watchers themselves. */
  processorSeconds: number;
  priority: 'idle' | 'low';
}

const watched: Watched = {
  ...{ scrapes: 0, eventBytes: 0, processorSeconds: 0 },
  priority: takeOnlyWhatIsIdle() ? 'idle' : 'low',
};
void takeEvents();
let scraping: NodeJS.Timeout | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  clearInterval(scraping);
  if (line === 'on') {
    void scrape();
    scraping = setInterval(scrape, SCRAPE_MILLISECONDS);
  }
}
const { user, system } = process.cpuUsage();
watched.processorSeconds = (user + system) / 1e6;
process.stdout.write(JSON.stringify(watched));
// The training stands still: what is under way gets no answer.
process.stdout.end(() => process.exit());

/**
 * Scrapers are elsewhere: what they do themselves is not to be taken for what they cost. True where this process runs only while
 * a core has nothing else to do (Linux, SCHED_IDLE); else it has the lowest priority, which still takes a hundredth.
 */
function takeOnlyWhatIsIdle(): boolean {
  setPriority(constants.priority.PRIORITY_LOW);
  const { status } = spawnSync('chrt', ['--all-tasks', '--idle', '--pid', '0', `${process.pid}`]);
  return status === 0;
}

async function scrape(): Promise<void> {
  const response = await fetch(metricsUrl);
  const text = await response.text();
  if (response.ok && text.length > 0) watched.scrapes++;
}

async function takeEvents(): Promise<void> {
  const { body } = await fetch(new URL('/events', metricsUrl));
  if (!body) throw new Error('The events have no body');
  for await (const piece of body) watched.eventBytes += piece.length;
}
