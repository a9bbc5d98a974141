/**
 * Those who watch the training with telemetry, in a process of their own: a page that takes its events, and a scraper. Takes the
 * URL of the metrics. `on` and `off` on standard input begin and end the scraping; at the end of standard input it tells what
 * was answered, as JSON, and ends.
 */
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';

// Scrapers are elsewhere: what they do themselves is not to be taken for what they cost.
setPriority(constants.priority.PRIORITY_LOW);

const SCRAPE_MILLISECONDS = 1000;
const metricsUrl = process.argv[2];

export interface Watched {
  /** Scrapes that got a whole answer. */
  scrapes: number;
  eventBytes: number;
}

const watched: Watched = { scrapes: 0, eventBytes: 0 };
void takeEvents();
let scraping: NodeJS.Timeout | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  clearInterval(scraping);
  if (line === 'on') {
    void scrape();
    scraping = setInterval(scrape, SCRAPE_MILLISECONDS);
  }
}
process.stdout.write(JSON.stringify(watched));
// The training stands still: what is under way gets no answer.
process.stdout.end(() => process.exit());

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
