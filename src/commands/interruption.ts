/** Ctrl-C: the first one asks the run to stop, the second one ends the process at once. */
import { EXIT_CODES } from '../errors.ts';
import { endAtOnce } from '../process-end.ts';
import { say } from './output.ts';

/** Ended by the user before there was anything to keep. */
export class Interruption extends Error {}

/** SIGHUP: the terminal was closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One Ctrl-C may arrive twice: from the terminal, and from a program such as npx that sends on what it got too. */
const SAME_MILLISECONDS = 500;

/** Calls `work` with a signal that the first Ctrl-C (or another of SIGNALS) aborts. */
export async function withInterruption<Result>(
  announcement: string,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  let first = 0;
  const interrupt = () => {
    const now = performance.now();
    if (controller.signal.aborted) {
      if (now - first > SAME_MILLISECONDS) endAtOnce(EXIT_CODES.interrupted);
      return;
    }
    first = now;
    say(`\n${announcement}\n`);
    controller.abort(new Interruption('Stopped before anything was written.'));
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
  }
}
