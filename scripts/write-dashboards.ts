/**
 * Writes dashboards/*.json, what Grafana imports. With --check it writes nothing and exits 1 where they are not what the code
 * says.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { DASHBOARDS } from '../dashboards/index.ts';

const FOLDER = new URL('../../dashboards/', import.meta.url);
const check = process.argv.includes('--check');

for (const [name, build] of Object.entries(DASHBOARDS)) {
  const file = new URL(name, FOLDER);
  const text = `${JSON.stringify(build(), null, 2)}\n`;
  if (!check) {
    writeFileSync(file, text);
  } else if (readFileSync(file, 'utf8') !== text) {
    console.error(`dashboards/${name} is not what dashboards/*.ts give. Run: npm run dashboards`);
    process.exitCode = 1;
  }
}
