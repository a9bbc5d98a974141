/** A real Prometheus that scrapes some targets with the committed configuration and rules. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { parse, stringify } from 'yaml';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { DASHBOARDS_FOLDER } from './promtool.ts';
import { RULES_FILE } from './rule-file.ts';

const INTERVAL = '500ms';
const POLL_MILLISECONDS = 100;
const PATIENCE_MILLISECONDS = 40_000;

/** A graph of the test asks for that much of the past. */
const RANGE_SECONDS = 2;

type Pair = [time: number, value: string];

export interface Sample {
  metric: Record<string, string>;
  value: number;
}

export class PrometheusServer {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** What the query gives at a moment (Unix seconds), now unless given; throws with Prometheus' reason where it refuses it. */
  async query(expr: string, moment?: number): Promise<Sample[]> {
    const time: Record<string, string> = moment === undefined ? {} : { time: String(moment) };
    const { resultType, result } = await this.api('query', { query: expr, ...time });
    if (resultType !== 'vector') throw new Error(`Expected a vector of ${expr}, got ${resultType}`);
    return result.map(({ metric, value: [, text] }: { metric: Sample['metric']; value: Pair }) => ({
      metric,
      value: Number(text),
    }));
  }

  /** What the query gave at each of the moments up to `end` (Unix seconds), as a graph asks; each value is a sample. */
  async queryRange(expr: string, end: number): Promise<Sample[]> {
    const [start, step] = [end - RANGE_SECONDS, RANGE_SECONDS / 4];
    const times = { start: String(start), end: String(end), step: String(step) };
    const { result } = await this.api('query_range', { query: expr, ...times });
    return result.flatMap(({ metric, values }: { metric: Sample['metric']; values: Pair[] }) =>
      values.map(([, text]) => ({ metric, value: Number(text) })),
    );
  }

  // biome-ignore lint/suspicious/noExplicitAny: as JSON comes.
  async api(path: string, parameters: Record<string, string> = {}): Promise<any> {
    const query = new URLSearchParams(parameters);
    const response = await fetch(`${this.#url}/api/v1/${path}?${query}`);
    const { status, error, data } = await response.json();
    if (status !== 'success') throw new Error(error);
    return data;
  }

  /** Asks again and again until the query gives a series; returns a moment (Unix seconds) at which it does. */
  async until(expr: string): Promise<number> {
    const end = Date.now() + PATIENCE_MILLISECONDS;
    for (;;) {
      const moment = Date.now() / 1000;
      if (await this.#gives(expr, moment)) return moment;
      if (Date.now() > end) throw new Error(`Prometheus never had a series of ${expr}`);
      await setTimeout(POLL_MILLISECONDS);
    }
  }

  async #gives(expr: string, moment: number): Promise<boolean> {
    return this.query(expr, moment).then(
      (samples) => samples.length > 0,
      () => false, // Not up yet.
    );
  }
}

/** Starts it on a free port with a storage of its own; it ends with the test. */
export async function startPrometheus(
  t: ExecutionContext,
  ...targets: string[]
): Promise<PrometheusServer> {
  const folder = temporaryFolder(t);
  const config = parse(readFileSync(join(DASHBOARDS_FOLDER, 'prometheus.yml'), 'utf8'));
  config.global = { scrape_interval: INTERVAL, evaluation_interval: INTERVAL };
  config.rule_files = [RULES_FILE];
  config.scrape_configs[0].static_configs = [{ targets }];
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config));
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  t.teardown(async () => {
    const ended = once(child, 'exit');
    if (child.kill('SIGKILL')) await ended;
  });
  return new PrometheusServer(`http://127.0.0.1:${port}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
