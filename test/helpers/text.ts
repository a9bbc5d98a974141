/** Texts to train on, made up from a number, the same at every call. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const WORDS = ['loom', 'thread', 'weft', 'warp', 'spool', 'shuttle', 'heddle', 'yarn', 'knot'];

/** `characters` characters of words and line breaks that do not repeat regularly. */
export function sampleText(characters: number, seed = 1): string {
  let state = seed;
  let text = '';
  while (text.length < characters) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    text += WORDS[(state >>> 16) % WORDS.length] + ((state >>> 8) % 7 === 0 ? '.\n' : ' ');
  }
  return text.slice(0, characters);
}

/** Writes a text of `characters` characters; returns its path. */
export function writeText(folder: string, name = 'text.txt', characters = 1200, seed = 1): string {
  const path = join(folder, name);
  writeFileSync(path, sampleText(characters, seed));
  return path;
}
