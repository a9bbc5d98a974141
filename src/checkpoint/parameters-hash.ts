/** The fingerprint by which runs are compared. */
import { createHash } from 'node:crypto';
import type { ParameterTable } from '../model/parameters.ts';

/** SHA-256 over the parameters in table order, little-endian float32, without padding. */
export function parametersSha256(table: ParameterTable, vector: Float32Array): string {
  const hash = createHash('sha256');
  for (const { start, length } of table.parameters) {
    hash.update(littleEndian(vector.subarray(start, start + length)));
  }
  return hash.digest('hex');
}

function littleEndian(values: Float32Array): Uint8Array {
  // Copied out of shared memory, which the hash does not take.
  const bytes = new DataView(new ArrayBuffer(values.length * 4));
  for (let i = 0; i < values.length; i++) bytes.setFloat32(4 * i, values[i], true);
  return new Uint8Array(bytes.buffer);
}
