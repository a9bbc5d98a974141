/**
 * The end of the process while a thread waits for a disk that does not answer. Node ends no process before its threads have
 * ended: neither by itself nor by process.exit, nor by process.reallyExit.
 */
import { endAllThreads, hasStuckThreads, mayHaveToWait } from './pool/threads.ts';

/** A WebAssembly module that is nothing but a memory, under the name that WASI wants. */
const ONLY_MEMORY = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[5, 3, 1, 0, 1],
  ...[7, 10, 1, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0],
);
/** After it a thread that was told to end runs no JavaScript: only a call of the system or of native code may take longer. */
const ENDING_MILLISECONDS = 500;
/** Who reads the output may have stopped. */
const FLUSH_MILLISECONDS = 1000;

/** Where a thread is stuck, ends the process; else leaves that to Node, which does it once nothing is left to do. */
export async function endDespiteStuckThreads(exitCode: number): Promise<void> {
  if (!hasStuckThreads()) return;
  await Promise.all([process.stdout, process.stderr].map(flushed));
  endNow(exitCode);
}

/** Ends the process as process.exit does, but waits for no disk. */
export function endAtOnce(exitCode: number): void {
  if (!mayHaveToWait()) process.exit(exitCode);
  endAllThreads();
  // Without the event loop, on which others would start anew what has ended.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ENDING_MILLISECONDS);
  endNow(exitCode);
}

/**
 * A program of WASI ends the process by exit(3), which waits for no thread: the one way from JavaScript that does so with a code
 * of choice (process.abort ends it with 134, a signal with 128 and more). No thread may be running JavaScript meanwhile: it
 * would lose the ground under its feet. Where Node refuses WASI the process is killed, and ends with 137. A system that
 * cannot interrupt the call of the thread, not even to kill it, keeps the process until the call returns.
 */
function endNow(exitCode: number): void {
  try {
    // What is left to release, such as the lock of a run.
    process.emit('exit', exitCode);
    // Not imported: loading it alone makes Node warn that it is experimental.
    const { WASI } = process.getBuiltinModule('node:wasi');
    const wasi = new WASI({ version: 'preview1', returnOnExit: false });
    wasi.initialize(new WebAssembly.Instance(new WebAssembly.Module(ONLY_MEMORY)));
    const { proc_exit: exit } = wasi.wasiImport as { proc_exit(code: number): void };
    exit(exitCode);
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, FLUSH_MILLISECONDS);
    stream.write('', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
