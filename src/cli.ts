#!/usr/bin/env node
/** The command `threadloom`. Checks the Node version before anything that an older one could not load. */
import { EXIT_CODES } from './errors.ts';

const OLDEST_NODE = [20, 19];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  console.error(
    `threadloom: Expected Node.js ${OLDEST_NODE.join('.')} or newer, got ${process.versions.node}. Install a newer Node.js.`,
  );
  process.exitCode = EXIT_CODES.wrongInput;
} else {
  const { main } = await import('./commands/main.ts');
  const { endDespiteStuckThreads } = await import('./process-end.ts');
  const exitCode = await main(process.argv.slice(2));
  process.exitCode = exitCode;
  await endDespiteStuckThreads(exitCode);
}
