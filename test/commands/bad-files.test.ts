/** Rows of the bad-input table about files and folders. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { QUIET_TINY } from '../helpers/cli.ts';
import { file, refusedTogether, train, trainOn } from './bad-input.ts';

const refused = refusedTogether();

refused('train without files', {
  args: ['train', ...QUIET_TINY],
  says: /^Expected at least one text file to train on, got none\. Start with: threadloom train /,
});
refused('a missing file', {
  args: trainOn('nowhere.txt'),
  says: /^Expected a text file, got "nowhere\.txt"\. There is no such file/,
});
refused('a missing second file', {
  args: trainOn('text.txt', 'nowhere.txt'),
  says: /"nowhere\.txt"/,
});
refused('a missing first file', {
  args: trainOn('nowhere.txt', 'text.txt'),
  says: /"nowhere\.txt"/,
});
refused('a missing validation file', {
  args: train('--val', 'text.txt', 'nowhere.txt'),
  says: /"nowhere\.txt"/,
});
refused('a missing validation file given apart', {
  args: train('--val', 'nowhere.txt', '--val', 'text.txt'),
  says: /"nowhere\.txt"/,
});
refused('a missing file, with --force and an earlier run', {
  args: [...trainOn('nowhere.txt'), '--force'],
  before: (folder) => {
    mkdirSync(join(folder, 'r'));
    writeFileSync(join(folder, 'r', 'config.json'), '{}');
  },
  says: /"nowhere\.txt"/,
});
refused('an empty file', {
  args: trainOn('empty.txt'),
  before: file('empty.txt', ''),
  says: /^Expected text in "empty\.txt", got an empty file\.$/,
});
refused('a folder in place of a file', {
  args: trainOn('.'),
  says: /^Expected a text file, got "\."\. That is a folder/,
});
refused('a device in place of a file', {
  args: trainOn('/dev/null'),
  says: /^Expected a text file, got "\/dev\/null"\. That is not a regular file/,
});
refused('invalid UTF-8', {
  args: trainOn('broken.txt'),
  before: file('broken.txt', Buffer.from([0x61, 0xc3, 0xa9, 0x62, 0xff, 0x63])),
  says: /^Expected UTF-8 text in "broken\.txt", got invalid bytes at byte offset 4\./,
});
refused('a text that is too short for one chunk of every stream', {
  args: trainOn('short.txt'),
  before: file('short.txt', 'twenty-one characters'),
  says: /^Expected at least 33 symbols of training text .* got 18\. Use --batch 2 or --chunk 4,/,
});
refused('a text of one character', {
  args: trainOn('one.txt'),
  before: file('one.txt', 'x'),
  says: /^Expected at least 33 symbols .* got 0\. Use more text\.$/,
});
refused('a run folder that is a file', {
  args: train('--run', 'text.txt').filter((arg, i, all) => arg !== 'r' && all[i + 1] !== 'r'),
  says: /^Expected --run to be a folder, got "text\.txt"\./,
});
refused('a run folder below a file', {
  args: ['train', 'text.txt', ...QUIET_TINY, '--run', 'text.txt/r'],
  says: /^Expected --run to be a folder that can be written, got text\.txt\/r/,
});
refused('a run folder that exists', {
  args: train(),
  before: (folder) => {
    mkdirSync(join(folder, 'r'));
    file('r/config.json', '{}')(folder);
  },
  says: /^Expected --run to be a new or empty folder, got r\. Use another --run, --force .* resume r\.$/,
});
refused('a folder that is no run, with --force', {
  args: train('--force'),
  before: (folder) => {
    mkdirSync(join(folder, 'r'));
    file('r/thesis.txt', 'the only copy')(folder);
  },
  says: /^Expected --force to replace a run, but r holds other files/,
});
refused('a run folder whose name has a line break', {
  args: ['train', 'text.txt', ...QUIET_TINY, '--run', 'text.txt/a\nb'],
  says: /^Expected --run to be a folder that can be written/,
});
