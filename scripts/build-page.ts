/** Bundles src/live/page/ into dist/src/live/page/: index.html, page.js, page.css. Run as `node dist/scripts/build-page.js`. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild-wasm';

/** The repository: this file is run from dist/scripts/. */
const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

const SOURCE = path('src/live/page/');
const OUTPUT = path('dist/src/live/page/');

mkdirSync(OUTPUT, { recursive: true });
copyFileSync(`${SOURCE}index.html`, `${OUTPUT}index.html`);
await build({
  entryPoints: { page: `${SOURCE}main.ts` },
  outdir: OUTPUT,
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  charset: 'utf8',
  // The licence of uPlot goes with it.
  legalComments: 'inline',
  logLevel: 'error',
});
