/** What goes to standard output, and how numbers and times are shown to a person. */
import { printable } from '../errors.ts';

export { formatCount, formatDuration } from '../numbers.ts';

/** A reader that has enough (`| head`) is no error, and no work is done for nobody. Nobody has to read standard error. */
export function endQuietlyOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  process.stderr.on('error', () => {});
}

/** Writes to standard error. That its disk is full or its terminal gone does not end what is going on. */
export function say(text: string, stream: NodeJS.WritableStream = process.stderr): void {
  try {
    stream.write(text);
  } catch {
    // A file is written at once, and throws.
  }
}

export function warn(message: string): void {
  say(`warning: ${printable(message)}\n`);
}

/** The one JSON object of --json. */
export function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Two columns, the first as wide as its longest entry. */
export function formatRows(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => printable(`  ${name.padEnd(width)}  ${value}`));
  return lines.map((line) => `${line}\n`).join('');
}

/** A table: the head, a rule, the rows; each column as wide as it needs, text left, numbers right. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i].length)));
  const isNumeric = head.map((_, i) => rows.every((row) => /^[-\d.,%]*$/.test(row[i])));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (isNumeric[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd();
  return `${[line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')}\n`;
}

/** Nats with bits and perplexity. */
export function formatLoss(nats: number): string {
  return `${nats.toFixed(4)} nats (${(nats / Math.LN2).toFixed(4)} bits, perplexity ${Math.exp(nats).toPrecision(4)})`;
}
