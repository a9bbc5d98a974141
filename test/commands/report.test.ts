import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { report, train } from '../../src/index.ts';
import { renderReport } from '../../src/live/report-page.ts';
import { runPlace } from '../helpers/runs.ts';
import { runTogether } from '../helpers/together.ts';
import { madeUpRun } from '../live/page/made-up-run.ts';

test('report writes one file, and replaces none unasked', async (t) => {
  const { folder, settings } = runPlace(t);
  await train(settings('r', { steps: 12 }));
  writeFileSync(join(folder, 'mine.html'), 'mine');
  mkdirSync(join(folder, 'folder'));
  const line = (...args: string[]) => ({ args: ['report', ...args], cwd: folder, env: {} });
  const outcomes = await runTogether([
    line('r', '--json'),
    line('r'),
    line('r', '--force'),
    line('r', '--out', 'mine.html'),
    line('r', '--out', 'folder', '--force'),
    line('r', '--out', join('nowhere', 'a.html')),
    line('nowhere'),
    line('r', '--step', '3'),
  ]);
  const [json, again, forced, mine, onFolder, lost, none, unknown] = outcomes;
  const path = join(folder, 'r', 'report.html');
  const written = readFileSync(path);
  t.deepEqual(JSON.parse(json.stdout), { report: path, bytes: written.length, step: 12 });
  t.is(forced.stdout.split(' ')[0], path);
  t.deepEqual([json.code, forced.code], [0, 0]);
  for (const [outcome, says] of [
    [again, /Expected --out to be a new file, got .*report\.html\. Use another --out, or --force/],
    [mine, /Expected --out to be a new file, got .*mine\.html\./],
    [onFolder, /Expected --out to be a file, got .*folder, which is none\./],
    [lost, /Expected --out to be a file that can be written, got ".*a\.html"\. ENOENT/],
    [none, /Expected the folder of a run, got "nowhere"\./],
    [unknown, /Unknown flag "--step"\./],
  ] as const) {
    t.is(outcome.code, 2);
    t.is(outcome.lines.length, 1);
    t.regex(outcome.lines[0], says);
  }
  t.is(readFileSync(join(folder, 'mine.html'), 'utf8'), 'mine');
  const result = await report(join(folder, 'r'), { out: join(folder, 'api.html') });
  t.is(result.step, 12);
});

test('a report says which checkpoints were passed over', async (t) => {
  const { folder, settings } = runPlace(t);
  const { run, checkpoint } = await train(settings('r', { steps: 12 }));
  writeFileSync(String(checkpoint), 'no checkpoint');
  const [outcome] = await runTogether([{ args: ['report', run], cwd: folder, env: {} }]);
  t.is(outcome.code, 0);
  t.is(outcome.lines.length, 1);
  t.regex(outcome.lines[0], /^warning: .*it is not a checkpoint/);
});

test('a report is one file of less than 250 kB that runs its own script and nothing else', (t) => {
  const html = renderReport(madeUpRun(10_000));
  t.true(html.length < 250_000, `${html.length} characters`);
  const [, policy] = html.match(/Content-Security-Policy" content="([^"]+)"/) ?? [];
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const [, script] = html.match(/<script>([\s\S]*?)<\/script>/) ?? [];
  const [, style] = html.match(/<style>([\s\S]*?)<\/style>/) ?? [];
  t.true(policy.includes(`script-src ${hash(script)};`));
  t.true(policy.includes(`style-src ${hash(style)};`));
  t.true(policy.startsWith("default-src 'none';"));
  t.notRegex(html, /<(script|link|img)[^>]+(src|href)="(?!data:)/);
});

test('no text of a run can break out of its report', (t) => {
  const text = '</script><script>alert(1)</script><!-- \u2028';
  const html = renderReport(madeUpRun(10, { samples: [{ step: 10, text }] }));
  t.is(html.split('</script>').length, 3);
  const [, json] = html.match(/id="snapshot">([\s\S]*?)<\/script>/) ?? [];
  t.is(JSON.parse(json).samples[0].text, text);
  t.false(json.includes('\u2028'));
});
