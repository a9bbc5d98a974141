import test from 'ava';
import { resolveConfig, type Settings } from '../../src/config/config.ts';
import { InputError } from '../../src/errors.ts';

const resolve = (settings: Settings) =>
  resolveConfig(settings, { cores: 1, newRun: () => 'runs/new' });

/** A setting with a value, where it applies and where it does not, and what the refusal asks for. */
const CONDITIONAL: [Settings, Settings[], Settings[], string][] = [
  [
    { activation: 'relu' },
    [{ cell: 'rnn' }],
    [{}, { cell: 'lstm' }, { cell: 'gru' }],
    '--cell rnn',
  ],
  [{ activation: 'tanh' }, [{ cell: 'rnn' }], [{ cell: 'gru' }], '--cell rnn'],
  [{ forgetBias: 0 }, [{}, { init: 'uniform' }], [{ cell: 'rnn' }, { cell: 'gru' }], '--cell lstm'],
  [
    { identityScale: 0.1 },
    [{ init: 'identity' }, { cell: 'rnn', activation: 'relu' }],
    [{}, { init: 'uniform' }, { cell: 'rnn', activation: 'relu', init: 'orthogonal' }],
    '--init identity',
  ],
  [{ valFraction: 0 }, [{}], [{ val: ['v'] }], 'a run without --val'],
  [{ momentum: 0 }, [{ optimizer: 'sgd' }], [{}, { optimizer: 'rmsprop' }], '--optimizer sgd'],
  [
    { nesterov: true },
    [{ optimizer: 'sgd', momentum: 0.5 }],
    [{}, { optimizer: 'sgd' }, { optimizer: 'sgd', momentum: 0 }],
    '--optimizer sgd with --momentum',
  ],
  [{ beta1: 0 }, [{}, { optimizer: 'adamw' }], [{ optimizer: 'sgd' }], '--optimizer adam or adamw'],
  [{ beta2: 0 }, [{}], [{ optimizer: 'rmsprop' }], '--optimizer adam or adamw'],
  [{ alpha: 0.5 }, [{ optimizer: 'rmsprop' }], [{}, { optimizer: 'sgd' }], '--optimizer rmsprop'],
  [
    { epsilon: 1e-3 },
    [{}, { optimizer: 'adamw' }, { optimizer: 'rmsprop' }],
    [{ optimizer: 'sgd' }],
    '--optimizer adam, adamw or rmsprop',
  ],
  [{ decayEvery: 3 }, [{ schedule: 'step' }], [{}, { schedule: 'constant' }], '--schedule step'],
  [{ decayFactor: 0.1 }, [{ schedule: 'step' }], [{ schedule: 'cosine' }], '--schedule step'],
];

for (const [setting, where, elsewhere, choice] of CONDITIONAL) {
  const [[name, value]] = Object.entries(setting);
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

  test(`${flag} ${value} holds with ${choice}`, (t) => {
    for (const others of where) {
      t.is(resolve({ ...others, ...setting })[name as keyof Settings], value);
      t.not(resolve(others)[name as keyof Settings], undefined, 'its default');
    }
  });

  test(`${flag} ${value} is refused without ${choice}`, (t) => {
    for (const others of elsewhere) {
      t.is(resolve(others)[name as keyof Settings], undefined);
      const error = t.throws(() => resolve({ ...others, ...setting }), { instanceOf: InputError });
      t.is(
        error.message,
        `Expected ${flag} only with ${choice}. Leave it out, or choose ${choice}.`,
      );
    }
  });
}
