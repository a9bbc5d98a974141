/** Field types that several schemas use. */
import { z } from 'zod';

export const MAX_COUNT = 2 ** 31 - 1;

export const whole = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum);
export const path = () => z.string().min(1);
export const backend = () => z.enum(['auto', 'native', 'wasm', 'reference']).default('auto');
