/** Ctrl-C: the first one asks the run to stop, the second one ends the process at once. */
import { EXIT_CODES } from '../errors.ts';

/** Ended by the user before there was anything to keep. */
export class Interruption extends Error {}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Calls `work` with a signal that the first Ctrl-C (SIGINT or SIGTERM) aborts. */
export async function withInterruption<Result>(
  announcement: string,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT_CODES.interrupted);
    process.stderr.write(`\n${announcement}\n`);
    controller.abort(new Interruption('Stopped before anything was written.'));
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
  }
}
