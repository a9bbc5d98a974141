/** Memory of training on a text of any size. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { sampleText } from '../helpers/text.ts';

const TRAINING = fileURLToPath(new URL('./large-text-training.js', import.meta.url));
/** What two runs of the same program differ by. */
export const SAME_MEMORY_BYTES = 16 * 2 ** 20;
/** Between two islands of words in the text. */
const GAP_BYTES = 8 * 2 ** 20;

export interface LargeTextMemory {
  bytes: number;
  /** Most that the process had resident at once. */
  peakBytes: number;
  seconds: number;
}

/**
 * Trains in a process of its own on a text of `bytes` in `folder` and removes it. The text is a sparse file: words, and
 * between them the character NUL, which takes no room on most disks and is scanned, indexed and learned as any other.
 */
export async function measureLargeText(folder: string, bytes: number): Promise<LargeTextMemory> {
  const path = join(folder, `${bytes}.txt`);
  try {
    writeSparse(path, bytes);
    const began = performance.now();
    const child = spawn(process.execPath, [TRAINING, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    const peakBytes = Number(printed);
    if (code !== 0 || !(peakBytes > 0)) {
      throw new Error(`The training on ${path} ended with ${code} and printed "${printed}"`);
    }
    return { bytes, peakBytes, seconds: (performance.now() - began) / 1000 };
  } finally {
    rmSync(path, { force: true });
  }
}

function writeSparse(path: string, bytes: number): void {
  const words = Buffer.from(sampleText(64 * 1024));
  const file = openSync(path, 'w');
  try {
    ftruncateSync(file, bytes);
    for (let at = 0; at + words.length <= bytes; at += GAP_BYTES) {
      writeSync(file, words, 0, words.length, at);
    }
  } finally {
    closeSync(file);
  }
}
