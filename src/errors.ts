/** What every command promises: 0 done, 1 failed, 2 wrong usage or input, 130 stopped by the user. */
export const EXIT_CODES = { done: 0, failed: 1, wrongInput: 2, interrupted: 130 } as const;

/** Where in a step a failure happened; each part is known or absent. */
export interface FailurePlace {
  step?: number;
  phase?: string;
  shard?: number;
}

/** Base of all errors that Threadloom throws on purpose; `exitCode` is what the command line ends with. */
export class ThreadloomError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.exitCode = exitCode;
  }
}

/** Wrong usage, configuration or input file: nothing was started and nothing was written. */
export class InputError extends ThreadloomError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT_CODES.wrongInput, options);
  }
}

/** A file that is whole, but written by a newer version of this program. */
export class NewerVersionError extends InputError {}

/** A run that started and could not go on; the last checkpoint stays valid. */
export class TrainingError extends ThreadloomError {
  readonly place: FailurePlace;

  constructor(message: string, place: FailurePlace = {}, options?: ErrorOptions) {
    super(message, EXIT_CODES.failed, options);
    this.place = place;
  }
}

/** A step whose loss or gradient is not finite; it has not happened. */
export class NotFiniteError extends TrainingError {}

/**
 * The one sentence form of a refusal: what was expected, what came, what to do.
 * `got` is shown as JSON, shortened, so that control characters cannot disturb a terminal.
 */
export function expected(what: string, got: unknown, remedy?: string): string {
  return `Expected ${what}, got ${show(got)}.${remedy ? ` ${remedy}` : ''}`;
}

/** A value in an error message: JSON where it has one, at most 80 characters. */
export function show(value: unknown): string {
  const text =
    typeof value === 'string' ? JSON.stringify(value) : (stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function stringify(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return Object.prototype.toString.call(value); // Nested too deep, or in itself.
  }
}

/** A word of a command that is shown to be copied into a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Text of others, without what would move a cursor or turn a line round. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?');
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An error as plain data, because structured clone drops the class and fields of an error between threads. */
export interface ErrorRecord {
  kind: 'input' | 'training' | 'other';
  message: string;
  stack?: string;
  code?: string;
  place?: FailurePlace;
}

export function toErrorRecord(error: unknown): ErrorRecord {
  const kind =
    error instanceof InputError ? 'input' : error instanceof TrainingError ? 'training' : 'other';
  return {
    kind,
    message: messageOf(error),
    stack: error instanceof Error ? error.stack : undefined,
    code: errorCode(error),
    place: error instanceof TrainingError ? error.place : undefined,
  };
}

export function fromErrorRecord(record: ErrorRecord): Error {
  const cause = Object.assign(new Error(record.message), {
    stack: record.stack,
    code: record.code,
  });
  if (record.kind === 'input') return new InputError(record.message, { cause });
  if (record.kind === 'training') return new TrainingError(record.message, record.place, { cause });
  return cause;
}

/** The `code` of a system error such as ENOENT, where there is one. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
