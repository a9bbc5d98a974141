import { mock } from 'node:test';
import test, { type ExecutionContext } from 'ava';
import { Watch } from '../../src/pool/watch.ts';

/** A watch with a limit of 10 s, on a clock that the test moves. */
function watching(t: ExecutionContext, pulse?: Int32Array) {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  let late = 0;
  const watch = new Watch(10, () => late++, pulse);
  const pass = (seconds: number) => {
    for (let i = 0; i < seconds; i++) mock.timers.tick(1000);
    return late;
  };
  return { watch, pass };
}

test.serial('what is awaited for longer than the limit is late, once', (t) => {
  const { watch, pass } = watching(t);
  watch.begin();
  t.is(pass(10), 0);
  t.is(pass(1), 1);
  t.is(pass(100), 1);
});

test.serial('nothing is late while nothing is awaited', (t) => {
  const { watch, pass } = watching(t);
  t.is(pass(100), 0);
  watch.begin();
  pass(9);
  watch.end();
  t.is(pass(100), 0);
});

test.serial('progress begins the time anew, told or by the pulse', (t) => {
  const pulse = new Int32Array(new SharedArrayBuffer(4));
  const { watch, pass } = watching(t, pulse);
  watch.begin();
  pass(9);
  watch.begin();
  t.is(pass(9), 0);
  Atomics.add(pulse, 0, 1);
  t.is(pass(10), 0);
  t.is(pass(1), 1);
});

test.serial('what is awaited can be given its time again, and nothing is awaited by that', (t) => {
  const { watch, pass } = watching(t);
  watch.renew();
  t.is(pass(100), 0);
  watch.begin();
  pass(10);
  watch.renew();
  t.is(pass(10), 0);
  t.is(pass(1), 1);
});

test.serial('without a limit, or closed, nothing is ever late', (t) => {
  const { watch, pass } = watching(t);
  watch.begin();
  watch.close();
  t.is(pass(100), 0);
  let late = 0;
  new Watch(0, () => late++).begin();
  pass(100);
  t.is(late, 0);
});
