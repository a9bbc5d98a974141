/** One HTML file with all of a run in it: the live page's own, with its script, its style and what is known. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Snapshot } from './protocol.ts';
import { toReport } from './view/report-data.ts';

const read = (name: string) => readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');

const STYLE = '<link rel="stylesheet" href="page.css">';
const SCRIPT = '<script src="page.js"></script>';
const HEAD = '<head>';

/** The text of the file. It runs nothing but the page's own script, and asks for nothing from anywhere. */
export function renderReport(snapshot: Snapshot): string {
  const [style, script] = [read('page.css'), read('page.js')];
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const data = `<script type="application/json" id="snapshot">${jsonOf(snapshot)}</script>`;
  return [
    [HEAD, `${HEAD}\n    <meta http-equiv="Content-Security-Policy" content="${policy}">`],
    [STYLE, `<style>${style}</style>`],
    [SCRIPT, `${data}\n    <script>${script}</script>`],
  ].reduce((html, [mark, text]) => replaceOnce(html, mark, text), read('index.html'));
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** Seven digits tell all that is shown. No text in it can end the element that it stands in, or begin another. */
function jsonOf(snapshot: Snapshot): string {
  const shorter = (_key: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(7)) : value;
  return JSON.stringify(toReport(snapshot), shorter).replace(
    /[<\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function replaceOnce(html: string, mark: string, text: string): string {
  const [before, after, ...others] = html.split(mark);
  if (after === undefined || others.length > 0)
    throw new Error(`Expected ${mark} once in the page.`);
  return before + text + after;
}
