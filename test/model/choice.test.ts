import test from 'ava';
import fc from 'fast-check';
import { type ChoiceSettings, chooseToken } from '../../src/model/choice.ts';

const off: ChoiceSettings = { temperature: 1, topK: 0, topP: 1 };
const LOGITS = Float32Array.of(0.5, 2, -1, 2, 0, 1.5);

/** Share of `tries` evenly spread random numbers that choose each id. */
function shares(logits: Float32Array, settings: ChoiceSettings, tries = 20_000): number[] {
  const counts = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < tries; i++) counts[chooseToken(logits, settings, (i + 0.5) / tries)]++;
  return counts.map((count) => count / tries);
}

/** The distribution by its definition: softmax, keep the k likeliest, keep the nucleus, rescale. */
function expected(logits: Float32Array, { temperature, topK, topP }: ChoiceSettings): number[] {
  const top = Math.max(...logits);
  const weights = Array.from(logits, (logit, id) => ({
    id,
    p: Math.exp((logit - top) / temperature),
  }));
  let kept = weights.sort((a, b) => b.p - a.p || a.id - b.id);
  if (topK > 0) kept = kept.slice(0, topK);
  const scale = (list: typeof kept) => {
    const total = list.reduce((sum, { p }) => sum + p, 0);
    return list.map(({ id, p }) => ({ id, p: p / total }));
  };
  kept = scale(kept);
  if (topP < 1) {
    let reached = 0;
    kept = scale(
      kept.filter(({ p }) => {
        const take = reached < topP;
        reached += p;
        return take;
      }),
    );
  }
  return Array.from(logits, (_, id) => kept.find((entry) => entry.id === id)?.p ?? 0);
}

for (const settings of [
  off,
  { ...off, temperature: 0.5 },
  { ...off, temperature: 3 },
  { ...off, topK: 1 },
  { ...off, topK: 2 },
  { ...off, topK: 4, temperature: 0.7 },
  { ...off, topK: 100 },
  { ...off, topP: 0.5 },
  { ...off, topP: 0.95 },
  { ...off, topP: 1e-9 },
  { temperature: 2, topK: 4, topP: 0.6 },
]) {
  test(`tokens come with the probabilities of the definition: ${JSON.stringify(settings)}`, (t) => {
    const got = shares(LOGITS, settings);
    for (const [id, p] of expected(LOGITS, settings).entries()) {
      t.true(Math.abs(got[id] - p) <= 1e-4, `${id}: ${got[id]} for ${p}`);
    }
  });
}

test('temperature 0 takes the likeliest token, the first of equal ones', (t) => {
  for (const random of [0, 0.5, 0.999]) {
    t.is(chooseToken(LOGITS, { ...off, temperature: 0 }, random), 1);
  }
  t.is(chooseToken(Float32Array.of(-5), { ...off, temperature: 0 }, 0.3), 0);
});

test('the smallest temperature is no division by zero', (t) => {
  for (const temperature of [Number.MIN_VALUE, 1e-300, 1e-30]) {
    t.true([1, 3].includes(chooseToken(LOGITS, { ...off, temperature }, 0.7)));
  }
});

test('the choice is an id that may be chosen, for any random number', (t) => {
  const logits = fc.array(fc.float({ min: -80, max: 80, noNaN: true }), {
    minLength: 1,
    maxLength: 30,
  });
  const random = fc.oneof(
    fc.constantFrom(0, 2 ** -53, 0.5, 1 - 2 ** -53),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  );
  const settings = fc.record({
    temperature: fc.constantFrom(0, 1e-3, 0.8, 1, 100),
    topK: fc.nat(40),
    topP: fc.constantFrom(1e-9, 0.1, 0.9, 1),
  });
  fc.assert(
    fc.property(logits, settings, random, (list, choice, number) => {
      const values = Float32Array.from(list);
      const id = chooseToken(values, choice, number);
      t.true(Number.isInteger(id) && id >= 0 && id < values.length);
      const rank = values.filter(
        (logit, other) => logit > values[id] || (logit === values[id] && other < id),
      ).length;
      t.true(choice.topK === 0 || rank < choice.topK);
      if (choice.temperature === 0) t.is(rank, 0);
    }),
    { numRuns: 500 },
  );
});

test('logits stay as they were', (t) => {
  const logits = LOGITS.slice();
  chooseToken(logits, { temperature: 0.5, topK: 3, topP: 0.8 }, 0.4);
  t.deepEqual(logits, LOGITS);
});
