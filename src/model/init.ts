/**
 * Initial parameters, a pure function of seed and parameter. Embedding: N(0, 1). By recipe (`init` of the configuration):
 * - orthogonal: Glorot-uniform inputs and head, recurrent weights orthogonal, per gate block; biases zero;
 * - identity: the same with recurrent weights `identityScale` · I (IRNN, Le, Jaitly & Hinton 2015);
 * - uniform: weights and biases of layers and head U(−1/√H, 1/√H), as torch.nn.RNN and torch.nn.Linear do it.
 * An LSTM's forget gate gets `forgetBias` added in bᵢₕ (Gers et al. 2000; Jozefowicz et al. 2015).
 */
import { mixKey, normal, uniform } from '../kernels/mix.ts';
import type { Parameter } from './parameters.ts';
import type { ModelSpec } from './spec.ts';

export interface InitRecipe {
  readonly init: 'orthogonal' | 'identity' | 'uniform';
  readonly identityScale?: number;
  readonly forgetBias?: number;
  readonly seed: number;
}

/** Keeps the keys of initial parameters apart from those of dropout and sampling. */
const KEY_TAG = 0x494e4954;

/** Fills `values` (the parameter's elements, row-major); `index` is the parameter's place in the table. */
export function initializeParameter(
  parameter: Parameter,
  index: number,
  spec: ModelSpec,
  recipe: InitRecipe,
  values: Float32Array,
): void {
  const key = mixKey(recipe.seed, KEY_TAG, index);
  if (parameter.name === 'embedding.weight') fillNormal(values, key);
  else if (recipe.init === 'uniform') fillUniform(values, key, 1 / Math.sqrt(spec.hidden));
  else if (parameter.name.includes('weight_hh')) fillRecurrent(values, key, spec.hidden, recipe);
  else if (parameter.name.includes('weight_ih'))
    fillGlorot(values, key, parameter.shape[1], spec.hidden);
  else if (parameter.name === 'head.weight') fillGlorot(values, key, spec.hidden, spec.vocabulary);
  else values.fill(0);
  if (spec.cell === 'lstm' && parameter.name.includes('bias_ih')) {
    for (let j = spec.hidden; j < 2 * spec.hidden; j++) values[j] += recipe.forgetBias ?? 0;
  }
}

function fillNormal(values: Float32Array, key: number): void {
  for (let i = 0; i < values.length; i++) values[i] = normal(key, i);
}

function fillUniform(values: Float32Array, key: number, limit: number): void {
  for (let i = 0; i < values.length; i++) values[i] = limit * (2 * uniform(key, i) - 1);
}

/** U(−a, a), a = √(6 / (fan in + fan out)); the fan out of a gate block is H. Glorot & Bengio 2010. */
function fillGlorot(values: Float32Array, key: number, fanIn: number, fanOut: number): void {
  fillUniform(values, key, Math.sqrt(6 / (fanIn + fanOut)));
}

/** Gate blocks (H, H), each on its own. */
function fillRecurrent(values: Float32Array, key: number, width: number, recipe: InitRecipe): void {
  const size = width * width;
  for (let block = 0; block * size < values.length; block++) {
    const target = values.subarray(block * size, (block + 1) * size);
    if (recipe.init === 'identity') {
      target.fill(0);
      for (let i = 0; i < width; i++) target[i * width + i] = recipe.identityScale ?? 1;
    } else {
      target.set(randomOrthogonal(width, mixKey(key, block)));
    }
  }
}

/**
 * A random orthogonal matrix, Haar-distributed: Gram–Schmidt on the rows of a Gaussian one (Saxe et al. 2014; Mezzadri 2007
 * on why the diagonal's sign must be positive, as it is here). Error of orthogonality about 1e-12 at H = 1024.
 */
function randomOrthogonal(width: number, key: number): Float64Array {
  const rows = Float64Array.from({ length: width * width }, (_, i) => normal(key, i));
  for (let i = 0; i < width; i++) {
    const row = rows.subarray(i * width, (i + 1) * width);
    normalize(row);
    for (let j = i + 1; j < width; j++) {
      removeComponent(rows.subarray(j * width, (j + 1) * width), row);
    }
  }
  return rows;
}

function normalize(row: Float64Array): void {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i] * row[i];
  const scale = 1 / Math.sqrt(sum);
  for (let i = 0; i < row.length; i++) row[i] *= scale;
}

function removeComponent(row: Float64Array, unit: Float64Array): void {
  let dot = 0;
  for (let i = 0; i < row.length; i++) dot += row[i] * unit[i];
  for (let i = 0; i < row.length; i++) row[i] -= dot * unit[i];
}
