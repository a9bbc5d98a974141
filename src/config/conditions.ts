/** Settings that belong to a choice of another one. Never ignored: refused where the choice is another. */
import type { z } from 'zod';
import { InputError } from '../errors.ts';
import { flagOf } from './setting-table.ts';
import type { trainSchema } from './train-schema.ts';

type Checked = z.output<typeof trainSchema>;

/** A setting that belongs to a choice of another one: its default there, and a refusal elsewhere. */
interface Condition {
  holds: (settings: Checked) => boolean;
  flag: string;
  value: (settings: Checked) => string | number | boolean;
}

const adaptive = (s: Checked) => s.optimizer === 'adam' || s.optimizer === 'adamw';

const CONDITIONS = {
  activation: { holds: (s) => s.cell === 'rnn', flag: '--cell rnn', value: () => 'tanh' },
  forgetBias: {
    holds: (s) => s.cell === 'lstm',
    flag: '--cell lstm',
    value: (s) => (s.init === 'uniform' ? 0 : 1),
  },
  identityScale: {
    holds: (s) => s.init === 'identity' || (!s.init && s.activation === 'relu'),
    flag: '--init identity',
    value: () => 1,
  },
  valFraction: { holds: (s) => s.val.length === 0, flag: 'a run without --val', value: () => 0.1 },
  momentum: { holds: (s) => s.optimizer === 'sgd', flag: '--optimizer sgd', value: () => 0 },
  nesterov: {
    holds: (s) => s.optimizer === 'sgd' && (s.momentum ?? 0) > 0,
    flag: '--optimizer sgd with --momentum',
    value: () => false,
  },
  beta1: { holds: adaptive, flag: '--optimizer adam or adamw', value: () => 0.9 },
  beta2: { holds: adaptive, flag: '--optimizer adam or adamw', value: () => 0.999 },
  alpha: {
    holds: (s) => s.optimizer === 'rmsprop',
    flag: '--optimizer rmsprop',
    value: () => 0.99,
  },
  epsilon: {
    holds: (s) => s.optimizer !== 'sgd',
    flag: '--optimizer adam, adamw or rmsprop',
    value: () => 1e-8,
  },
  decayEvery: { holds: (s) => s.schedule === 'step', flag: '--schedule step', value: () => 1000 },
  sampleLength: { holds: (s) => s.sampleEvery > 0, flag: '--sample-every', value: () => 200 },
  decayFactor: { holds: (s) => s.schedule === 'step', flag: '--schedule step', value: () => 0.5 },
} satisfies Partial<Record<keyof Checked, Condition>>;

type ConditionalName = keyof typeof CONDITIONS;

/** Fills in the defaults of the conditional settings. Throws InputError for one that does not apply. */
export function applyConditions(config: Checked): void {
  for (const [name, condition] of Object.entries(CONDITIONS) as [ConditionalName, Condition][]) {
    if (!condition.holds(config)) refuseInapplicable(name, config[name], condition.flag);
    else if (config[name] === undefined) Object.assign(config, { [name]: condition.value(config) });
  }
}

function refuseInapplicable(name: string, value: unknown, flag: string): void {
  if (value !== undefined) {
    throw new InputError(
      `Expected ${flagOf(name)} only with ${flag}. Leave it out, or choose ${flag}.`,
    );
  }
}
