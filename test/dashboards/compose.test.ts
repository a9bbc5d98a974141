import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import { DASHBOARDS } from '../../dashboards/index.ts';
import { DASHBOARDS_FOLDER, isInstalled, promtool } from './promtool.ts';

interface Service {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  extra_hosts?: string[];
  ports: string[];
  volumes: string[];
}

const read = (path: string) => parse(readFileSync(join(DASHBOARDS_FOLDER, path), 'utf8'));
const compose = read('compose.yaml') as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
};
const { prometheus, grafana } = compose.services;
const scraping = read('prometheus.yml');
const FILE = join(DASHBOARDS_FOLDER, 'compose.yaml');

/** Where each path of this folder lies in the container. */
function mounts({ volumes }: Service): Map<string, string> {
  const paths = volumes.map((volume) => volume.split(':')).filter(([from]) => from.startsWith('.'));
  return new Map(paths.map(([from, to]) => [from.replace('./', ''), to]));
}

for (const [name, service] of Object.entries(compose.services)) {
  test(`${name} has a pinned version, is open to this machine alone, and mounts what is there`, (t) => {
    t.regex(service.image, /^[a-z]+\/[a-z]+:v?\d+\.\d+\.\d+$/);
    for (const port of service.ports) t.regex(port, /^127\.0\.0\.1:\d+:\d+$/);
    for (const volume of service.volumes) {
      const [from, , mode] = volume.split(':');
      if (from.startsWith('.')) t.is(mode, 'ro');
      t.true(existsSync(join(DASHBOARDS_FOLDER, from)) || from in compose.volumes, volume);
    }
  });
}

test('Prometheus finds its configuration, and from it the rules', (t) => {
  const inside = mounts(prometheus);
  const config = inside.get('prometheus.yml')!;
  t.true(prometheus.command?.includes(`--config.file=${config}`));
  t.deepEqual(scraping.rule_files, ['rules.yml']);
  t.is(inside.get('rules.yml'), join(dirname(config), 'rules.yml'));
});

test("the configurations evaluate the rules as often as these are written for, also the README's", (t) => {
  const readme = readFileSync(join(DASHBOARDS_FOLDER, '../README.md'), 'utf8');
  const [, example] = /```yaml\n(# prometheus\.yml\n.+?)```/s.exec(readme)!;
  for (const { global } of [scraping, parse(example)]) {
    const [, seconds] = /^(\d+)s$/.exec(global.evaluation_interval)!;
    t.true(Number(seconds) <= 15);
  }
});

test('Prometheus reaches the runs of the machine', (t) => {
  const [{ static_configs }] = scraping.scrape_configs;
  const [host] = prometheus.extra_hosts![0].split(':');
  const targets: string[] = static_configs[0].targets;
  t.is(targets[0], `${host}:9464`);
  t.true(targets.every((target) => target.startsWith(`${host}:`)));
  t.true(readFileSync(FILE, 'utf8').includes(`--metrics-allowed-hosts ${host}`));
  // The name of the machine inside the container says nothing to a browser outside.
  const [relabelled] = scraping.scrape_configs[0].relabel_configs;
  t.is(relabelled.target_label, 'instance');
  t.is(
    targets[1].replace(new RegExp(`^${relabelled.regex}$`), relabelled.replacement),
    'localhost:9465',
  );
});

test('Grafana finds Prometheus and every dashboard', (t) => {
  const inside = mounts(grafana);
  const { datasources } = read('grafana/datasources.yml');
  const { providers } = read('grafana/dashboards.yml');
  t.is(inside.get('grafana/datasources.yml'), provisioned('datasources'));
  t.is(inside.get('grafana/dashboards.yml'), provisioned('dashboards'));
  t.is(datasources[0].url, `http://prometheus:${prometheus.ports[0].split(':').at(-1)}`);
  t.is(datasources[0].jsonData.timeInterval, scraping.global.scrape_interval);
  for (const name of Object.keys(DASHBOARDS)) {
    t.is(inside.get(name), join(providers[0].options.path, name));
  }
  const home = grafana.environment!.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH;
  t.true(basename(home) in DASHBOARDS);
});

const provisioned = (kind: string) => `/etc/grafana/provisioning/${kind}/threadloom.yml`;

test('promtool finds nothing to complain about in the scrape configuration', (t) => {
  if (!isInstalled(t, 'promtool')) return;
  promtool(t, 'check', 'config', '--lint-fatal', join(DASHBOARDS_FOLDER, 'prometheus.yml'));
});

test('Docker Compose understands the file', (t) => {
  const version = spawnSync('docker', ['compose', 'version']);
  if (version.status !== 0) {
    t.log('skipped: docker compose does not run here');
    return t.pass();
  }
  const { status, stderr } = spawnSync('docker', ['compose', '-f', FILE, 'config', '--quiet'], {
    encoding: 'utf8',
  });
  t.is(status, 0, stderr);
});
