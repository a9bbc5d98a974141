import test from 'ava';
import { resolveConfig, type Settings } from '../../src/config/config.ts';
import { InputError } from '../../src/errors.ts';

const SURROUNDINGS = { cores: 6, newRun: () => 'runs/new' };
const resolve = (settings: Settings | Record<string, unknown> = {}) =>
  resolveConfig(settings, SURROUNDINGS);

test('without settings everything has its default', (t) => {
  t.deepEqual({ ...resolve() }, {
    files: [],
    val: [],
    valFraction: 0.1,
    tokens: 'char',
    cell: 'lstm',
    hidden: 256,
    layers: 1,
    embed: 64,
    dropout: 0,
    init: 'orthogonal',
    forgetBias: 1,
    batch: 64,
    chunk: 64,
    lanes: 8,
    optimizer: 'adam',
    lr: 2e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    schedule: 'cosine',
    warmup: 0,
    clipNorm: 1,
    clipValue: 0,
    epochs: 10,
    evalEvery: 0,
    evalStreams: 16,
    run: 'runs/new',
    force: false,
    sampleEvery: 0,
    seed: 1,
    checkpointEvery: 500,
    keep: 3,
    workerTimeout: 300,
    workers: 6,
    backend: 'auto',
    metrics: true,
    metricsHost: '127.0.0.1',
    gradientsEvery: 100,
    metricsLinger: 0,
  } as unknown as ReturnType<typeof resolve>);
});

test('there are 8 lanes (or as many as streams) for each 64 streams, up to 64', (t) => {
  t.deepEqual(
    [1, 5, 8, 64, 127, 128, 200, 256, 4096].map((batch) => resolve({ batch }).lanes),
    [1, 5, 8, 8, 8, 16, 24, 32, 64],
  );
  t.is(resolve({ batch: 64, lanes: 12 }).lanes, 12);
});

test('epochs are 10 unless the steps are given, and both may be', (t) => {
  t.is(resolve({ steps: 7 }).epochs, undefined);
  t.is(resolve({ steps: 7, epochs: 2 }).epochs, 2);
  t.is(resolve({ maxMinutes: 1 }).epochs, 10);
});

test('the recurrent weights of a ReLU are a scaled identity unless something else is asked for', (t) => {
  const relu = { cell: 'rnn', activation: 'relu' } as const;
  t.is(resolve(relu).init, 'identity');
  t.is(resolve(relu).identityScale, 1);
  t.is(resolve({ ...relu, init: 'orthogonal' }).identityScale, undefined);
  t.is(resolve({ cell: 'rnn' }).init, 'orthogonal');
  t.is(resolve({ cell: 'rnn' }).activation, 'tanh');
});

test('the forget bias is 1, and 0 where all is drawn as PyTorch does', (t) => {
  t.is(resolve({ init: 'uniform' }).forgetBias, 0);
  t.is(resolve({ init: 'uniform', forgetBias: 2 }).forgetBias, 2);
  t.is(resolve({ cell: 'gru' }).forgetBias, undefined);
});

test('weight decay is 0.01 with adamw, else 0', (t) => {
  const decays = (['sgd', 'adam', 'adamw', 'rmsprop'] as const).map(
    (optimizer) => resolve({ optimizer }).weightDecay,
  );
  t.deepEqual(decays, [0, 0, 0.01, 0]);
});

test('the result is frozen', (t) => {
  const config = resolve();
  t.true(Object.isFrozen(config));
  t.throws(() => Object.assign(config, { hidden: 1 }), { instanceOf: TypeError });
});

const variants: Settings[] = [
  {},
  { cell: 'rnn', activation: 'relu', init: 'identity', identityScale: 0.5 },
  { cell: 'gru', optimizer: 'sgd', momentum: 0.9, nesterov: true },
  { optimizer: 'sgd' },
  { optimizer: 'rmsprop', schedule: 'step', decayEvery: 5 },
  { optimizer: 'adamw', val: ['v.txt'], steps: 5 },
  { init: 'uniform', epochs: 3, maxMinutes: 0.5, metricsPort: 0 },
  { metricsHost: '0.0.0.0', metricsAllowedHosts: 'trainer,m.example.com,[fd00::1]' },
  { metrics: false, files: ['a', 'b'], seed: Number.MAX_SAFE_INTEGER },
];
for (const settings of variants) {
  test(`the configuration of a configuration is itself: ${JSON.stringify(settings)}`, (t) => {
    const config = resolve(settings);
    t.deepEqual(resolve(config), config);
    const stored = JSON.parse(JSON.stringify(config));
    const other = { cores: 99, newRun: () => 'elsewhere' };
    t.deepEqual(JSON.parse(JSON.stringify(resolveConfig(stored, other))), stored);
  });
}

test('settings are not changed', (t) => {
  const settings = Object.freeze({ files: Object.freeze(['a']) as string[], cell: 'rnn' as const });
  resolve(settings);
  t.deepEqual(settings, { files: ['a'], cell: 'rnn' });
});

const refused = test.macro({
  title: (name) => `${name} is refused`,
  exec(t, settings: Record<string, unknown>, message: string) {
    t.is(t.throws(() => resolve(settings), { instanceOf: InputError }).message, message);
  },
});

test('an unknown name', refused, { hiden: 3 }, 'Unknown setting "hiden". Did you mean hidden?');
test(
  'a name of the prototype',
  refused,
  { constructor: 3 },
  'Unknown setting "constructor". Did you mean decayFactor?',
);
test(
  'more lanes than streams',
  refused,
  { batch: 4, lanes: 5 },
  'Expected --lanes to be at most --batch (4), got 5. Use --lanes 4 or --batch 5.',
);
test(
  'a metrics port without metrics',
  refused,
  { metrics: false, metricsPort: 1 },
  'Expected --metrics-port only without --no-metrics. Leave one of them out.',
);
test(
  'hosts to answer without metrics',
  refused,
  { metrics: false, metricsAllowedHosts: 'trainer' },
  'Expected --metrics-allowed-hosts only without --no-metrics. Leave one of them out.',
);
for (const hosts of ['', 'trainer:9464', 'http://trainer', 'a,', 'a, b', '*', 'fd00::1', ['a']]) {
  test(
    `hosts to answer that are ${JSON.stringify(hosts)}`,
    refused,
    { metricsAllowedHosts: hosts },
    'Expected --metrics-allowed-hosts to be host names or addresses without ports, parted by commas, ' +
      `got ${JSON.stringify(hosts)}.`,
  );
}
test(
  'a choice that is none',
  refused,
  { cell: 'transformer' },
  'Expected --cell to be one of rnn, lstm, gru, got "transformer".',
);
test(
  'a list with an empty path',
  refused,
  { files: ['a', ''] },
  'Expected files to be a list of paths, got ["a",""].',
);
test(
  'a text in place of a list',
  refused,
  { val: 'a' },
  'Expected --val to be a list of paths, got "a".',
);
test(
  'null',
  refused,
  { hidden: null },
  'Expected --hidden to be a whole number from 1 to 65536, got null.',
);
test(
  'a number in quotes',
  refused,
  { hidden: '8' },
  'Expected --hidden to be a whole number from 1 to 65536, got "8".',
);
test(
  'a text in place of a switch',
  refused,
  { force: 'yes' },
  'Expected --force to be true or false, got "yes".',
);
