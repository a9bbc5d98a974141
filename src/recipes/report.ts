/** One HTML file that shows a run, finished or not. */
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeDurably } from '../checkpoint/durable.ts';
import { REPORT } from '../checkpoint/run-folder.ts';
import { expected, InputError, messageOf } from '../errors.ts';
import { renderReport } from '../live/report-page.ts';
import { readRun } from './report-data.ts';

export interface ReportOptions {
  /** File to write; report.html in the run's folder unless given. */
  out?: string;
  /** Replaces a file that is there. */
  force?: boolean;
  onWarning?: (message: string) => void;
}

export interface ReportResult {
  /** Absolute path of the file. */
  report: string;
  bytes: number;
  /** The last step that it shows. */
  step: number;
}

/**
 * Writes a file that a browser shows without a server or a network. Throws InputError where `run` is no folder of a run, or
 * where the file is there and is not to be replaced, or cannot be written.
 */
export async function report(run: string, options: ReportOptions = {}): Promise<ReportResult> {
  const path = resolve(options.out ?? join(run, REPORT));
  refuseExisting(path, options.force ?? false);
  const snapshot = await readRun(run, options.onWarning);
  const html = renderReport(snapshot);
  try {
    writeDurably(path, html);
  } catch (error) {
    throw new InputError(
      expected('--out to be a file that can be written', path, `${messageOf(error)}.`),
      { cause: error },
    );
  }
  return { report: path, bytes: Buffer.byteLength(html), step: snapshot.state.step };
}

function refuseExisting(path: string, force: boolean): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || (force && found.isFile())) return;
  throw new InputError(
    found.isFile()
      ? `Expected --out to be a new file, got ${path}. Use another --out, or --force to replace it.`
      : `Expected --out to be a file, got ${path}, which is none. Choose another --out.`,
  );
}
