/** Rows of the bad-input table about what is typed: commands, flags, variables, configuration files, sizes. */
import { file, refusedTogether, train } from './bad-input.ts';

const refused = refusedTogether();

refused('an unknown command', { args: ['trian', 'text.txt'], says: /Did you mean train\?/ });
refused('no command', { args: [], says: /^Expected a command\. Try: threadloom --help$/ });
refused('an unknown flag', {
  args: train('--hiden', '9'),
  says: /^Unknown flag "--hiden"\. Did you mean --hidden\?$/,
});
refused('an unknown flag with a capital', {
  args: train('--Hidden', '9'),
  says: /^Unknown flag "--Hidden"\. Did you mean --hidden\?$/,
});
refused('the name of an argument of another command as a flag', {
  args: train('--target', 'x'),
  says: /^Unknown flag "--target"\./,
});
refused('a flag of another command', {
  args: train('--temperature', '1'),
  says: /^Unknown flag "--temperature"\./,
});
refused('a flag without its value', { args: train('--lr'), says: /lr\. Try: / });
refused('a switch with a value that is neither true nor false', {
  args: train('--quiet=maybe'),
  says: /^Expected --quiet to be true or false, or to stand alone, got "maybe"\.$/,
});
refused('a flag given twice', {
  args: train('--steps', '3', '--steps', '4'),
  says: /^Expected --steps to be a whole number from 1 to 2147483647, got \["3","4"\]\.$/,
});
refused('an unknown environment variable', {
  args: train(),
  env: { THREADLOOM_HIDEN: '9' },
  says: /^Unknown environment variable "THREADLOOM_HIDEN"\. Did you mean THREADLOOM_HIDDEN\?$/,
});
refused('files to train on in the environment, where nobody would look for them', {
  args: train(),
  env: { THREADLOOM_FILES: 'text.txt' },
  says: /^Unknown environment variable "THREADLOOM_FILES"\./,
});
refused('files to train on that --val has taken', {
  args: ['train', '--val', 'text.txt', 'other.txt'],
  says: /got none\. All of text\.txt, other\.txt went to --val: put the files to train on before it\.$/,
});
refused('a validation every so often, with no text for it', {
  args: train('--val-fraction', '0', '--eval-every', '9'),
  says: /^Expected --eval-every only without --val-fraction 0\. Leave one of them out\.$/,
});
refused('metrics that linger, with none', {
  args: train('--no-metrics', '--metrics-linger', '9'),
  says: /^Expected --metrics-linger only without --no-metrics\. Leave one of them out\.$/,
});
refused('a wrong value in the environment', {
  args: train(),
  env: { THREADLOOM_LAYERS: 'many' },
  says: /^Expected --layers to be a whole number from 1 to 64, got "many"\.$/,
});
refused('an unknown key of a configuration file', {
  args: train('--config', 'c.yaml'),
  before: file('c.yaml', 'hidden: 8\nlearning-rate: 1\n'),
  says: /^Unknown key in c\.yaml "learningRate"\. Did you mean \w+\?$/,
});
refused('a configuration file that is not there', {
  args: train('--config', 'c.yaml'),
  says: /^Expected --config to be a YAML or JSON file: ENOENT/,
});
refused('a configuration file that is no YAML', {
  args: train('--config', 'c.yaml'),
  before: file('c.yaml', 'a: [1\nb: }'),
  says: /^Expected --config to be a YAML or JSON file: /,
});
refused('a configuration file that is a list', {
  args: train('--config', 'c.json'),
  before: file('c.json', '[1, 2]'),
  says: /^Expected c\.json to hold settings/,
});
refused('a setting that belongs to another choice', {
  args: train('--momentum', '0.9'),
  says: /^Expected --momentum only with --optimizer sgd\./,
});

for (const [flag, value] of [
  ['--hidden', 'NaN'],
  ['--hidden', '0'],
  ['--hidden', '-5'],
  ['--hidden', '1.5'],
  ['--hidden', '1e300'],
  ['--hidden', 'Infinity'],
  ['--batch', '0'],
  ['--chunk', '-1'],
  ['--layers', '65'],
  ['--lr', '-1e-3'],
  ['--dropout', '1'],
  ['--workers', '0'],
  ['--metrics-port', '65536'],
]) {
  refused(`${flag} ${value}`, {
    args: ['train', 'text.txt', flag, value, '--run', 'r'],
    says: new RegExp(`^Expected ${flag} to be a (whole )?number .*, got .+\\.$`),
  });
}
refused('more lanes than streams', {
  args: train('--lanes', '5'),
  says: /^Expected --lanes to be at most --batch \(4\), got 5\. Use --lanes 4 or --batch 5\.$/,
});
for (const [name, ...args] of [
  ['just above 4 GiB', '--hidden', '7000'],
  ['far above 4 GiB', '--hidden', '30000'],
  ['of every maximum', '--hidden', '65536', '--layers', '64', '--embed', '65536'],
]) {
  refused(`a memory plan ${name}`, {
    args: [
      'train',
      'text.txt',
      '--batch',
      '4',
      '--chunk',
      '8',
      '--run',
      'r',
      '--no-metrics',
      ...args,
    ],
    says: /^Expected the memory plan to fit .* got [\d.,]+ [GTP]iB\. Lower --hidden, --layers, /,
  });
}
