/** Field types that several schemas use. */
import { z } from 'zod';

export const MAX_COUNT = 2 ** 31 - 1;

export const whole = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum);
export const path = () => z.string().min(1);
export const workerTimeout = () =>
  z.number().min(0).max(86_400).default(300).meta({
    group: 'Machine',
    unit: 'seconds',
    description:
      'replace a thread that makes no progress for so long, a worker within one task, and repeat its work (0: wait for ever)',
  });
export const backend = () => z.enum(['auto', 'native', 'wasm', 'reference']).default('auto');

const HOST_NAME = '(?:[A-Za-z0-9._-]{1,253}|\\[[0-9A-Fa-f:.]{2,45}\\])';
/** A list as it is typed: `trainer,metrics.example.com,[fd00::1]`. */
export const hostNames = () => z.string().regex(new RegExp(`^${HOST_NAME}(,${HOST_NAME})*$`));
