import { createHash } from 'node:crypto';
import { openCheckpoint } from '../../src/checkpoint/reader.ts';

/** The hash of each tensor of a checkpoint: parameters, optimizer state and carries. */
export function stateOf(path: string): Record<string, string> {
  const checkpoint = openCheckpoint(path);
  try {
    return Object.fromEntries(
      checkpoint.header.tensors.map(({ name, shape }) => {
        const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
        checkpoint.readTensor(name, values);
        return [name, createHash('sha256').update(values).digest('hex')];
      }),
    );
  } finally {
    checkpoint.close();
  }
}
