import test from 'ava';
import { reuse } from '../../src/metrics/reuse.ts';

test('a result is shared while it is under way and until its time is over', async (t) => {
  let milliseconds = 0;
  const pending: ((text: string) => void)[] = [];
  const { read } = reuse(
    () => new Promise<string>((resolve) => pending.push(resolve)),
    250,
    () => milliseconds,
  );
  const [first, second] = [read(), read()];
  milliseconds = 10_000;
  const third = read();
  t.is(pending.length, 1);
  pending[0]('one');
  t.deepEqual(await Promise.all([first, second, third]), ['one', 'one', 'one']);
  milliseconds += 249;
  t.is(await read(), 'one');
  milliseconds += 1;
  const fourth = read();
  t.is(pending.length, 2);
  pending[1]('two');
  t.is(await fourth, 'two');
});

test('a failure is not kept', async (t) => {
  let calls = 0;
  const { read } = reuse(async () => {
    calls += 1;
    if (calls === 1) throw new Error('first');
    return calls;
  }, 250);
  await t.throwsAsync(read, { message: 'first' });
  t.is(await read(), 2);
});

test('what is forgotten is made anew, also while it is under way', async (t) => {
  const pending: ((text: string) => void)[] = [];
  const { read, forget } = reuse(
    () => new Promise<string>((resolve) => pending.push(resolve)),
    250,
    () => 0,
  );
  const old = read();
  forget();
  const anew = read();
  pending[1]('new');
  pending[0]('old');
  t.deepEqual(await Promise.all([old, anew, read()]), ['old', 'new', 'new']);
  forget();
  void read();
  t.is(pending.length, 3);
});
