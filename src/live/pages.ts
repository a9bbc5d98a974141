/** What is served of a run that trains: the page and its events. */
import type { Pages } from '../metrics/server.ts';
import { readAssets } from './assets.ts';
import { EventStreams } from './event-streams.ts';
import type { LiveFeed } from './feed.ts';

export function livePages(
  feed: LiveFeed,
  assets = readAssets(),
  streams = new EventStreams(feed),
): Pages {
  return {
    routes: new Map([
      ['/', (request) => assets['index.html'].answer(request)],
      ['/page.js', (request) => assets['page.js'].answer(request)],
      ['/page.css', (request) => assets['page.css'].answer(request)],
      ['/events', (request) => streams.answer(request)],
    ]),
    close: () => streams.close(),
  };
}
