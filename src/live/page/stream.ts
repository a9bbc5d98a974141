/** What happens in the run, as the server sends it. */
import type { LiveEvents } from '../protocol.ts';

/** `ended`: the server has gone after the run was over, and is not asked again. */
export type Connection = 'open' | 'lost' | 'ended';

export interface StreamListener {
  onEvent<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void;
  onConnection(connection: Connection): void;
  /** Whether the run is over, so that the server may go. */
  isOver(): boolean;
}

/** Where the browser gives up: an answer that is no stream, such as that of a proxy. */
const RETRY_MILLISECONDS = 2_000;

const NAMES: Record<keyof LiveEvents, true> = {
  snapshot: true,
  points: true,
  completed: true,
  evaluation: true,
  gradients: true,
  sample: true,
  alerts: true,
  upkeep: true,
  state: true,
};

/**
 * Listens until the run is over and the server gone. The browser itself comes back with the last event's id, and so does
 * this where the browser has given up.
 */
export function follow(url: string, listener: StreamListener, since?: string): void {
  const source = new EventSource(since ? `${url}?lastEventId=${encodeURIComponent(since)}` : url);
  let last = since;
  for (const name of Object.keys(NAMES) as (keyof LiveEvents)[]) {
    source.addEventListener(name, (event) => {
      last = event.lastEventId;
      listener.onEvent(name, JSON.parse(event.data));
    });
  }
  source.addEventListener('open', () => listener.onConnection('open'));
  source.addEventListener('error', () => {
    if (listener.isOver()) {
      source.close();
      return listener.onConnection('ended');
    }
    listener.onConnection('lost');
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => follow(url, listener, last), RETRY_MILLISECONDS);
  });
}
