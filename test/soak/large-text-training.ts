/** Trains some steps on the text given, with a validation text of its own, and prints the most bytes it had resident. */
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { train } from '../../src/recipes/train.ts';
import { TINY_SETTINGS } from '../helpers/runs.ts';
import { writeText } from '../helpers/text.ts';

const [path] = process.argv.slice(2);
const run = `${path} run`;
const val = [writeText(dirname(path), 'validation.txt')];
try {
  await train({ ...TINY_SETTINGS, files: [path], val, run, steps: 300, checkpointEvery: 100 });
  console.log(process.resourceUsage().maxRSS * 1024);
} finally {
  rmSync(run, { recursive: true, force: true });
}
