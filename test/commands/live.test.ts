/** A real training, looked at as a browser does: what it sends while it trains, is stopped and goes on. */
import test, { type ExecutionContext } from 'ava';
import type { RunState, Snapshot } from '../../src/live/protocol.ts';
import { type RunningCli, startCli, TINY } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { writeText } from '../helpers/text.ts';

/** All that a stream of events has sent, to its end or until `isEnough`. */
async function eventsOf(url: string, isEnough: (text: string) => boolean = () => false) {
  const response = await fetch(`${url}/events`);
  let text = '';
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (isEnough(text)) break;
  }
  return {
    snapshots: dataOf<Snapshot>(text, 'snapshot'),
    states: dataOf<RunState>(text, 'state'),
  };
}

function dataOf<Data>(text: string, name: string): Data[] {
  const blocks = text.split('\n\n').slice(0, -1);
  return blocks
    .filter((block) => block.includes(`\nevent: ${name}\n`))
    .map((block) => JSON.parse(block.slice(block.indexOf('\ndata: ') + 7)));
}

async function urlOf(running: RunningCli): Promise<string> {
  const [, url] = await running.shows(/^ {2}metrics +(http:\/\/\S+)\/metrics$/m);
  return url;
}

function start(t: ExecutionContext, cwd: string, ...args: string[]): RunningCli {
  return startCli(t, [...args, '--metrics-port', '0'], { cwd });
}

test('Ctrl-C ends the stream with the state of the run, and its resumption shows all before', async (t) => {
  const cwd = temporaryFolder(t);
  writeText(cwd);
  const endless = ['--epochs', '1000000', '--workers', '2', '--sample-every', '10'];
  const first = start(t, cwd, 'train', 'text.txt', ...TINY, '--run', 'my-run', ...endless);
  const url = await urlOf(first);
  let isStopping = false;
  const { states } = await eventsOf(url, (text) => {
    if (!isStopping && text.includes('event: sample')) {
      isStopping = true;
      first.child.kill('SIGINT');
    }
    return false;
  });
  t.is((await first.finished).code, 130);
  const last = states.at(-1)!;
  t.is(last.kind, 'stopped');

  const second = start(t, cwd, 'resume', 'my-run');
  const isBegun = (text: string) => /"kind":"training"/.test(text) && text.endsWith('\n\n');
  const { snapshots } = await eventsOf(await urlOf(second), isBegun);
  const { run, points, samples } = snapshots.at(-1)!;
  t.is(run.run, 'my-run');
  t.is(points[0].step - points[0].steps, 0);
  t.true(points.reduce((sum, { steps }) => sum + steps, 0) >= last.step);
  t.is(samples[0].step, 10);
  second.child.kill('SIGINT');
  t.is((await second.finished).code, 130);
});

test('a run that has ended is served as finished for as long as was asked for', async (t) => {
  const cwd = temporaryFolder(t);
  writeText(cwd);
  const short = ['--steps', '5', '--metrics-linger', '3600'];
  const running = start(t, cwd, 'train', 'text.txt', ...TINY, ...short);
  const url = await urlOf(running);
  const { states, snapshots } = await eventsOf(url, (text) => text.includes('"kind":"finished"'));
  const told = [...snapshots.map(({ state }) => state), ...states];
  t.is(told.at(-1)?.kind, 'finished');
  // Who comes later is sent the same: a snapshot, which may be half a second old, and what came after it.
  const { snapshots: later, states: after } = await eventsOf(
    url,
    (text) => text.includes('"kind":"finished"') && text.endsWith('\n\n'),
  );
  const last = [...later.map(({ state }) => state), ...after].at(-1);
  t.deepEqual(last, { kind: 'finished', step: 5, secondsLeft: null });
  running.child.kill('SIGINT');
  t.is((await running.finished).code, 0);
});
