/** comlink's view of a worker_threads port; its own adapter for Node has no types under nodenext. */
import type { MessagePort, TransferListItem, Worker } from 'node:worker_threads';
import type { Endpoint } from 'comlink';

export function endpointOf(port: MessagePort | Worker): Endpoint {
  const forwards = new Map<EventListenerOrEventListenerObject, (data: unknown) => void>();
  return {
    postMessage: (message, transfer) => port.postMessage(message, transfer as TransferListItem[]),
    addEventListener(_type, listener) {
      const forward = (data: unknown) => {
        const event = { data } as MessageEvent;
        if (typeof listener === 'function') listener(event);
        else listener.handleEvent(event);
      };
      forwards.set(listener, forward);
      port.on('message', forward);
    },
    removeEventListener(_type, listener) {
      const forward = forwards.get(listener);
      if (forward) port.off('message', forward);
      forwards.delete(listener);
    },
  };
}
