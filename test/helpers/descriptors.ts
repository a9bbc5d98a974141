/** Which files this process has open, where the system tells. */
import { readdirSync, readlinkSync } from 'node:fs';

const DESCRIPTORS = '/proc/self/fd';

export const tellsOpenFiles = process.platform === 'linux';

/** By their paths. */
export function openFiles(): string[] {
  return readdirSync(DESCRIPTORS).flatMap((descriptor) => {
    try {
      return readlinkSync(`${DESCRIPTORS}/${descriptor}`);
    } catch {
      return []; // Closed meanwhile, as the one that read the folder.
    }
  });
}
