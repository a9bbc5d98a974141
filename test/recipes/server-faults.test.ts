/** The thread that serves a run dies of all that threads die of; the run does not. */
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { LiveRun } from '../../src/live/live-run.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { ServerThread } from '../../src/recipes/server-thread.ts';
import { FaultInjector } from '../faults/injector.ts';
import { MANNERS } from '../faults/orders.ts';
import { DESCRIPTION } from '../live/sample-points.ts';

const ENDS = {
  exit: 'ended unexpectedly with exit code 7.',
  throw: 'failed: a fault was injected.',
  memory: 'failed: Worker terminated due to reaching memory limit: JS heap out of memory.',
  hang: 'failed: no progress for 2 s; raise --worker-timeout where the work takes so long.',
  terminate: 'ended unexpectedly with exit code 1.',
};

for (const manner of MANNERS) {
  test.serial(`served again after ${manner}`, async (t) => {
    const injector = new FaultInjector();
    // As a run does: the thread that serves it keeps no process alive.
    const training = setInterval(() => {}, 1000);
    const metrics = createMetrics({ run: 'r' });
    const live = new LiveRun(DESCRIPTION, Date.now, () => 0);
    let server: ServerThread | undefined;
    t.teardown(async () => {
      clearInterval(training);
      await server?.close();
      injector.remove();
    });
    injector.order([{ manner, job: 'publish', when: 'before', shard: -1, spare: 1 }]);
    const warning = new Promise<string>((resolve) => {
      const place = { host: '127.0.0.1', port: 0 };
      const parts = { place, metrics, live, limitSeconds: manner === 'hang' ? 2 : 300 };
      void ServerThread.start({ ...parts, onWarning: resolve }).then(async (started) => {
        server = started;
        live.recordSample({ step: 1, text: 'the first that it is told' });
        // What happens at once is told at once.
        await setImmediate();
        live.recordSample({ step: 2, text: 'the last' });
      }, t.fail);
    });
    t.is(
      await warning,
      `The server thread ${ENDS[manner]} Another one serves the metrics and the live page.`,
    );
    t.is(injector.done.length, 1);
    t.is(server?.restarts, 1);
    t.is((await fetch(`${server?.address.url}/metrics`)).status, 200);
  });
}
