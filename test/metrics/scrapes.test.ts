import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { Scrapes } from '../../src/metrics/scrapes.ts';

/** Scrapes at these times, in seconds; and then it is `now`. */
function scraped(times: readonly number[], now: number) {
  let time = 0;
  const scrapes = new Scrapes(() => time);
  for (time of times) scrapes.begin()();
  time = now;
  return scrapes;
}

const seconds = (times: readonly number[], now: number) =>
  Math.round(10 * scraped(times, now).secondsToNext) / 10;

test('one who reads at regular intervals is expected after another one, with some time to spare', (t) => {
  t.is(seconds([3, 18, 33], 34), 18);
  t.is(seconds([3, 18, 33.5], 34), 19.1);
  t.is(seconds([3, 18, 33], 51), 1);
  t.is(seconds([0, 20.01, 40.02], 41), 24);
});

test('one who reads without a pause is expected after another one, also when the machine was busy for a moment', (t) => {
  t.is(seconds([3, 3.01, 3.02], 3.03), 1);
  t.is(seconds([3, 3.01, 3.51], 3.52), 1.6);
  t.is(seconds([3, 3.5, 3.51], 4), 0.5);
});

test('nobody is expected who has not come for long, comes rarely, now and then, or has only begun', (t) => {
  t.is(seconds([3, 18, 33], 53), 0);
  t.is(seconds([0, 60, 120], 121), 0);
  t.is(seconds([3, 8, 25], 26), 0);
  t.is(seconds([3, 18], 19), 0);
  t.is(seconds([], 1), 0);
});

test('the next scrape ends the waiting for it, not one that was under way', async (t) => {
  const scrapes = scraped([0, 15, 30], 31);
  const underWay = scrapes.begin();
  let isOver = false;
  const waiting = scrapes.next().then(() => {
    isOver = true;
  });
  underWay();
  await setImmediate();
  t.false(isOver);
  scrapes.begin()();
  await waiting;
  await t.notThrowsAsync(scraped([], 31).next());
});
