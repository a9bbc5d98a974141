/** One Chromium for the tests of a file; where this machine has none, they are skipped. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const executablePath = findChromium();
if (!executablePath) console.warn(`Skipped: none of ${NAMES.join(', ')} is on the PATH.`);

/** Declares a test that needs a browser: one after another, for they share it. */
export const browserTest = executablePath ? test.serial : test.serial.skip;

let started: Promise<Browser> | undefined;

/** Ends the browser; for `test.after.always`. */
export async function closeBrowser(): Promise<void> {
  await (await started)?.close();
}

export interface OpenPage {
  page: Page;
  /** Errors, warnings of the console and violations of the policy so far. */
  complaints: string[];
}

/** Opens the table of numbers of a section and waits for its rows: the page fills it once it is told of the click. */
export async function openTable(page: Page, section: string): Promise<void> {
  await page.locator(`${section} summary`).click();
  await page.locator(`${section} tbody tr`).first().waitFor();
}

/** What the tiles of a section show, by their names. */
export async function tilesOf(page: Page, section = '.state'): Promise<Record<string, string>> {
  const names = await page.locator(`${section} dt`).allInnerTexts();
  const values = await page.locator(`${section} dd:not(.note)`).allInnerTexts();
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}

/** A page of its own. */
export async function newPage(
  t: ExecutionContext,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  started ??= chromium.launch({ executablePath, args: ARGUMENTS });
  const context = await (await started).newContext({
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  t.teardown(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return { page, complaints };
}

function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
