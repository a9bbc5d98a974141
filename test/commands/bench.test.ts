import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { runCli } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const SMALL = ['--hidden', '16', '--layers', '1', '--batch', '8', '--chunk', '8'];
const SHORT = ['--seconds', '0.05'];

test('bench train --json prints the figures of one shape', async (t) => {
  const args = ['bench', 'train', ...SMALL, ...SHORT, '--workers', '2', '--json'];
  const { code, stdout } = await runCli(t, args);
  t.is(code, 0);
  const result = JSON.parse(stdout);
  t.like(result, { workers: 2, lanes: 8, streams: 8, times: 8 });
  t.like(result.spec, { cell: 'lstm', hidden: 16, embed: 16, layers: 1, vocabulary: 65 });
  for (const name of ['tokensPerSecond', 'gflops', 'peakGflops', 'copyGigabytesPerSecond']) {
    t.true(result[name] > 0, name);
  }
  t.is(result.shareOfPeak, result.gflops / result.peakGflops);
  t.deepEqual(Object.keys(result.phaseSeconds), ['compute', 'reduce', 'clip', 'update', 'commit']);
  t.true(result.coordinationShare > 0 && result.coordinationShare < 1);
  t.truthy(result.backend && result.variant);
  t.true(result.plannedBytes > result.arenaBytes, 'Node.js itself is planned for');
  t.true(result.peakBytes > result.arenaBytes);
});

test('bench kernels holds every kernel against the reference before it times it', async (t) => {
  const args = ['bench', 'kernels', '--hidden', '24', '--batch', '5', '--chunk', '4'];
  const { code, stdout } = await runCli(t, [...args, '--seconds', '1e-9', '--json']);
  t.is(code, 0);
  const { peak, measurements } = JSON.parse(stdout);
  t.true(peak.gflops > 0);
  const names: string[] = measurements.map(({ kernel }: { kernel: string }) => kernel);
  for (const name of ['multiply', 'multiplyTransposed', 'lstmForward', 'gruBackward', 'adam']) {
    t.true(
      names.some((each) => each.startsWith(name)),
      name,
    );
  }
  for (const { kernel, error, gflops, gigabytesPerSecond } of measurements) {
    t.true(error < 1e-4, kernel);
    t.true((gflops ?? gigabytesPerSecond) > 0, kernel);
  }
});

test('bench scaling measures each worker count, fits none of two, and draws the plot', async (t) => {
  const folder = temporaryFolder(t);
  const svg = join(folder, 'scaling.svg');
  const args = ['bench', 'scaling', '--workers', '1,2', '--svg', svg, '--hidden', '8', '--json'];
  const { code, stdout } = await runCli(t, [...args, '--layers', '1', '--seconds', '0.01']);
  t.is(code, 0);
  const { strong, weak, model, predictions, growth } = JSON.parse(stdout);
  t.deepEqual(
    strong.map(({ workers }: { workers: number }) => workers),
    [1, 2],
  );
  t.is(strong[0].speedup, 1);
  t.is(weak[1].streams, 2 * weak[0].streams);
  for (const row of [...strong, ...weak]) {
    const { lostToImbalance, lostToReduction, lostToCoordination, lostToMemory } = row;
    const lost = lostToImbalance + lostToReduction + lostToCoordination + lostToMemory;
    t.true(Math.abs(row.efficiency + lost - 1) < 1e-9, JSON.stringify(row));
  }
  t.is(model, undefined);
  t.deepEqual(predictions, []);
  t.is(growth.length, 16);
  t.true(existsSync(svg));
  t.regex(readFileSync(svg, 'utf8'), /^<svg [^>]*>.*strong scaling.*<\/svg>$/s);
});

for (const [what, ...args] of [
  ['train', '--hidden', '0'],
  ['train', '--lanes', '9', '--batch', '8'],
  ['scaling', '--workers', '1,x'],
  ['kernels', '--hiden', '8'],
]) {
  test(`bench ${what} ${args.join(' ')} is refused in one line`, async (t) => {
    const { code, stdout, lines } = await runCli(t, ['bench', what, ...args]);
    t.is(code, 2);
    t.is(stdout, '');
    t.is(lines.filter((line) => line.startsWith('threadloom: ')).length, 1);
  });
}
