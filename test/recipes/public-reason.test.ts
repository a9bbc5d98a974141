import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { expected, show, TrainingError } from '../../src/errors.ts';
import { publicReason } from '../../src/recipes/public-reason.ts';

const RUN = '/home/john smith/secret project/r';
const PATHS = {
  run: RUN,
  files: ['data/private/x.txt', "/home/o'brien/my texts/y.txt", '/top.txt', '-'],
  val: ['../next door/z.txt'],
  from: 'old runs/first one',
};
const WITHHELD = /^What the run printed last says why/;

/** What stands for the message in public. */
function told(name: string, message: string, reason: string | RegExp): void {
  test(`of ${name} no folder is told`, (t) => {
    const shown = publicReason(new TrainingError(message), PATHS);
    if (typeof reason === 'string') t.is(shown, reason);
    else t.regex(shown, reason);
    t.notRegex(
      shown,
      /[\\/]|john|smith|secret|project|data|private|brien|texts|next|door|\bold\b|hidden/,
    );
  });
}

told('the run itself', `The run folder ${RUN} is full.`, 'The run folder r is full.');
told(
  'its log',
  `Expected to write ${RUN}/steps.ndjson, but`,
  'Expected to write steps.ndjson, but',
);
told(
  'its checkpoint, as the system names it',
  `ENOSPC: no space left, open '${RUN}/checkpoints/step-00000012.ckpt.tmp'`,
  "ENOSPC: no space left, open 'step-00000012.ckpt.tmp'",
);
told(
  'two of its files',
  `rename '${RUN}/checkpoints/a.tmp' -> '${RUN}/checkpoints/a'`,
  "rename 'a.tmp' -> 'a'",
);
told('the folder it is in', 'mkdir /home/john smith/secret project: no', WITHHELD);
told('a text as it was given', 'Cannot read data/private/x.txt: EIO', 'Cannot read x.txt: EIO');
told('a text, quoted', expected('a text', 'data/private/x.txt'), 'Expected a text, got "x.txt".');
told('a text, absolute', `Cannot read ${resolve('data/private/x.txt')}.`, 'Cannot read x.txt.');
told('one with an apostrophe', `open '/home/o'brien/my texts/y.txt'`, `open 'y.txt'`);
told('one at the root', 'Cannot read /top.txt.', 'Cannot read top.txt.');
told('a text next door', 'Cannot read ../next door/z.txt.', 'Cannot read z.txt.');
told('the run it came from', 'Cannot use old runs/first one: no', 'Cannot use first one: no');
told('a file below home', `Cannot read ${join(homedir(), 'it.txt')}.`, 'Cannot read it.txt.');
told('a stranger, quoted', "open '/hidden place/it.txt'", "open 'it.txt'");
told('a stranger, not quoted', 'open /hidden place/it.txt', WITHHELD);
told('a stranger, relative', 'open hidden place/it.txt', WITHHELD);
told('a stranger of Windows', 'open C:\\hidden place\\it.txt', WITHHELD);
told('a stranger with a quote', `open '/hidden's/it.txt'`, WITHHELD);
told(
  'a path that is shortened within a folder',
  `Expected ${show(`${RUN}/${'hidden '.repeat(20)}/x`)} to be whole.`,
  'Expected "…" to be whole.',
);

test('a reason without a path is told as it is', (t) => {
  const message = 'The gradient of step 8 is not finite (loss NaN): layer 1. Use a smaller --lr.';
  t.is(publicReason(new TrainingError(message), PATHS), message);
  t.is(publicReason(undefined, PATHS), 'undefined');
});

test('what is withheld is told by its kind', (t) => {
  const cause = Object.assign(new Error('write'), { code: 'ENOSPC' });
  const error = new TrainingError('write /a b/c failed', {}, { cause });
  t.regex(publicReason(error, PATHS), /why it failed \(ENOSPC\);/);
});
