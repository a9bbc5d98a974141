import { execFileSync } from 'node:child_process';
import test from 'ava';
import { shellWord } from '../src/errors.ts';

test('a word of a command that is shown is that word in a shell', (t) => {
  t.is(shellWord('/runs/2026-11-25T10-00-00-3f2a'), '/runs/2026-11-25T10-00-00-3f2a');
  for (const word of ['my runs/x', "it's", '$HOME', '`id`', 'a\\b', '', '*', '~']) {
    t.is(execFileSync('sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' }), word);
  }
});
