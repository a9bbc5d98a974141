/** A metrics server as a process: prints its port; at each line on standard input, its resident bytes. */
import { createMetrics } from '../../src/metrics/metrics.ts';
import { startMetricsServer } from '../../src/metrics/server.ts';
import { STEP } from './scrape.ts';

const source = createMetrics({ run: 'r', processMetrics: true });
source.recordStep(STEP);
const { port } = await startMetricsServer({ host: '127.0.0.1', port: 0, source });
process.stdout.write(`${port}\n`);
process.stdin.on('data', () => process.stdout.write(`${process.memoryUsage.rss()}\n`));
