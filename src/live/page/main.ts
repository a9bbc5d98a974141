/** Starts the page: live from the server's events, or from the snapshot that a report holds. */
import type { Snapshot } from '../protocol.ts';
import { fromReport } from '../view/report-data.ts';
import { isOver } from '../view/run-view.ts';
import './page.css';
import { Page } from './page.ts';
import { follow } from './stream.ts';

const embedded = document.getElementById('snapshot');
if (embedded) {
  const snapshot = fromReport(JSON.parse(embedded.textContent ?? ''));
  new Page(snapshot, { isReport: true }).connected('report');
} else {
  watch();
}

function watch(): void {
  let page: Page | undefined;
  follow('events', {
    onEvent(name, data) {
      if (page) page.frames.changed(page.view.apply(name, data));
      else if (name === 'snapshot') page = new Page(data as Snapshot, { isReport: false });
      page?.connected('open');
    },
    onConnection(connection) {
      if (page) return page.connected(connection);
      const waiting = document.getElementById('waiting');
      if (waiting && connection === 'lost') waiting.textContent = 'No answer yet, trying again …';
    },
    isOver() {
      return page !== undefined && isOver(page.view.now.state);
    },
  });
}
