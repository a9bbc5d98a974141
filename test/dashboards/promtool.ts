/** What of Prometheus is installed here. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

/** The folder dashboards/ of the repository: tests are run from dist/test/dashboards/. */
export const DASHBOARDS_FOLDER = fileURLToPath(new URL('../../../dashboards/', import.meta.url));

/** Whether the program runs here; where it does not, the test passes and its log has the reason. */
export function isInstalled(t: ExecutionContext, program: 'promtool' | 'prometheus'): boolean {
  const { error } = spawnSync(program, ['--version']);
  if (!error) return true;
  t.log(`skipped: ${program} does not run here (${error.message})`);
  t.pass();
  return false;
}

/** Runs promtool, and fails with all it printed where it finds a fault. */
export function promtool(t: ExecutionContext, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  t.is(status, 0, stdout + stderr);
}
