/** Waiting for what another process writes. */
import { watch } from 'node:fs';
import type { ExecutionContext } from 'ava';

/** Resolves once something whose name begins with `name` comes into `folder`. */
export function created(t: ExecutionContext, folder: string, name: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, (_, file) => {
      if (file?.startsWith(name)) resolve();
    });
    t.teardown(() => watcher.close());
  });
}
