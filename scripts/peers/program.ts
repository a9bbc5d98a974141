/** Runs one system's program and reads the JSON object that it prints. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Far above what a measurement takes on a slow machine; only a program that hangs gets there. */
const LIMIT_SECONDS = 1800;

/** Throws an Error with the last line that the program wrote to standard error. */
export async function runProgram<Result>(
  file: string,
  programArguments: readonly string[],
): Promise<Result> {
  try {
    const { stdout } = await execute(file, programArguments, { timeout: LIMIT_SECONDS * 1000 });
    return JSON.parse(stdout);
  } catch (error) {
    throw new Error(reasonOf(error as NodeJS.ErrnoException & ProgramFailure), { cause: error });
  }
}

interface ProgramFailure {
  stderr?: string;
  killed?: boolean;
}

function reasonOf({ message, stderr, killed }: Error & ProgramFailure): string {
  if (killed) return `Expected an answer within ${LIMIT_SECONDS} s, got none.`;
  // Node ends a crash's report with its version: that line is no reason.
  const lines = stderr?.split('\n').filter((line) => /\S/.test(line) && !/^Node\.js v/.test(line));
  return (
    lines?.findLast((line) => /^\S*Error\b|^Expected /.test(line)) ??
    lines?.at(-1) ??
    message
  ).trim();
}
