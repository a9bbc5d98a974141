/**
 * Initial parameters, a pure function of seed and parameter. Embedding: N(0, 1). By recipe (`init` of the configuration):
 * - orthogonal: Glorot-uniform inputs and head, recurrent weights orthogonal, per gate block; biases zero;
 * - identity: the same with recurrent weights `identityScale` · I (IRNN, Le, Jaitly & Hinton 2015);
 * - uniform: weights and biases of layers and head U(−1/√H, 1/√H), as torch.nn.RNN and torch.nn.Linear do it.
 * An LSTM's forget gate gets `forgetBias` added in bᵢₕ (Gers et al. 2000; Jozefowicz et al. 2015).
 */
import { mixKey, normal, uniform } from '../kernels/mix.ts';
import { randomOrthogonal } from './orthogonal.ts';
import type { Parameter, ParameterTable } from './parameters.ts';
import { GATES, type ModelSpec } from './spec.ts';

export interface InitRecipe {
  readonly init: 'orthogonal' | 'identity' | 'uniform';
  readonly identityScale?: number;
  readonly forgetBias?: number;
  readonly seed: number;
}

/** Keeps the keys of initial parameters apart from those of dropout and sampling. */
const KEY_TAG = 0x494e4954;
/** In the names of recurrent weights. */
const RECURRENT = 'weight_hh';

/** What is drawn at once: a parameter or, of recurrent weights, one gate block (H, H), each of which is a matrix of its own. */
export interface InitialBlock {
  readonly parameter: Parameter;
  /** Place of the parameter in the table. */
  readonly index: number;
  /** Which block of the parameter. */
  readonly block: number;
  /** First element in the parameter vector. */
  readonly start: number;
  readonly length: number;
}

/** All of a model, in the order of the parameter vector. */
export function initialBlocks({ spec, parameters }: ParameterTable): InitialBlock[] {
  return parameters.flatMap((parameter, index) => {
    const { start, name } = parameter;
    const count = name.includes(RECURRENT) ? GATES[spec.cell] : 1;
    const length = parameter.length / count;
    return Array.from({ length: count }, (_, block) => ({
      ...{ parameter, index, block, length },
      start: start + block * length,
    }));
  });
}

/** Fills `values`, the elements of a block, row-major. */
export function initializeBlock(
  { parameter, index, block }: InitialBlock,
  spec: ModelSpec,
  recipe: InitRecipe,
  values: Float32Array,
): void {
  const { name, shape } = parameter;
  const key = mixKey(recipe.seed, KEY_TAG, index);
  if (name === 'embedding.weight') fillNormal(values, key);
  else if (recipe.init === 'uniform')
    fillUniform(values, key, 1 / Math.sqrt(spec.hidden), block * values.length);
  else if (name.includes(RECURRENT)) fillRecurrent(values, mixKey(key, block), spec.hidden, recipe);
  else if (name.includes('weight_ih')) fillGlorot(values, key, shape[1], spec.hidden);
  else if (name === 'head.weight') fillGlorot(values, key, spec.hidden, spec.vocabulary);
  else values.fill(0);
  if (spec.cell === 'lstm' && name.includes('bias_ih')) {
    for (let j = spec.hidden; j < 2 * spec.hidden; j++) values[j] += recipe.forgetBias ?? 0;
  }
}

function fillNormal(values: Float32Array, key: number): void {
  for (let i = 0; i < values.length; i++) values[i] = normal(key, i);
}

/** U(−limit, limit); `first`: draws that were made for the blocks before. */
function fillUniform(values: Float32Array, key: number, limit: number, first = 0): void {
  for (let i = 0; i < values.length; i++) values[i] = limit * (2 * uniform(key, first + i) - 1);
}

/** U(−a, a), a = √(6 / (fan in + fan out)); the fan out of a gate block is H. Glorot & Bengio 2010. */
function fillGlorot(values: Float32Array, key: number, fanIn: number, fanOut: number): void {
  fillUniform(values, key, Math.sqrt(6 / (fanIn + fanOut)));
}

/** A gate block (H, H). */
function fillRecurrent(values: Float32Array, key: number, width: number, recipe: InitRecipe): void {
  if (recipe.init === 'identity') {
    values.fill(0);
    for (let i = 0; i < width; i++) values[i * width + i] = recipe.identityScale ?? 1;
  } else {
    values.set(randomOrthogonal(width, key));
  }
}
