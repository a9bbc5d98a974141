/**
 * The parameter table: every tensor with its name, shape and place in the parameter vector. Pure.
 * Names, shapes and gate order are those of torch.nn.Embedding, torch.nn.RNN / LSTM / GRU and torch.nn.Linear.
 */
import { GATES, inputWidth, type ModelSpec } from './spec.ts';

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** First element in the parameter vector; a multiple of the block. */
  readonly start: number;
  readonly length: number;
  /** Layer the tensor belongs to, as messages name it: `embedding`, `layer 0`, `head`. */
  readonly layer: string;
}

/**
 * Elements of a reduction and update block. Tensors begin at block boundaries, so that a block lies in one
 * tensor, and sums of squares over blocks do not depend on who computes them.
 */
export const BLOCK = 1024;

/** Rows of the first layer's input weights that are reduced, and their squares summed, together. */
export const WEIGHT_ROWS = 16;

export class ParameterTable {
  readonly spec: ModelSpec;
  readonly parameters: readonly Parameter[];
  /** Elements of the parameter vector with the padding between tensors; a multiple of the block. */
  readonly paddedLength: number;
  /** P: elements without padding. */
  readonly count: number;

  constructor(spec: ModelSpec) {
    this.spec = spec;
    let start = 0;
    this.parameters = shapesOf(spec).map(({ name, layer, shape }) => {
      const length = shape.reduce((product, size) => product * size, 1);
      const parameter = Object.freeze({ name, layer, shape, start, length });
      start += Math.ceil(length / BLOCK) * BLOCK;
      return parameter;
    });
    this.paddedLength = start;
    this.count = this.parameters.reduce((sum, { length }) => sum + length, 0);
  }

  get(name: string): Parameter {
    const parameter = this.parameters.find((candidate) => candidate.name === name);
    if (!parameter) throw new Error(`No parameter named ${name}`);
    return parameter;
  }

  /** The parameter that holds an element of the vector (padding belongs to the tensor before it). */
  at(element: number): Parameter {
    return this.parameters.findLast(({ start }) => start <= element)!;
  }

  /**
   * The embedding and the first layer's input weights stand first: their gradients are computed after the sum over
   * lanes, from gate gradients summed by id. Where the others begin.
   */
  get inputPadded(): number {
    return this.parameters[2].start;
  }
}

interface NamedShape {
  name: string;
  layer: string;
  shape: number[];
}

function shapesOf(spec: ModelSpec): NamedShape[] {
  const { vocabulary, embed, hidden, layers } = spec;
  return [
    { name: 'embedding.weight', layer: 'embedding', shape: [vocabulary, embed] },
    ...Array.from({ length: layers }, (_, layer) => recurrentShapes(spec, layer)).flat(),
    { name: 'head.weight', layer: 'head', shape: [vocabulary, hidden] },
    { name: 'head.bias', layer: 'head', shape: [vocabulary] },
  ];
}

function recurrentShapes(spec: ModelSpec, index: number): NamedShape[] {
  const rows = GATES[spec.cell] * spec.hidden;
  const layer = `layer ${index}`;
  return [
    { name: `rnn.weight_ih_l${index}`, layer, shape: [rows, inputWidth(spec, index)] },
    { name: `rnn.weight_hh_l${index}`, layer, shape: [rows, spec.hidden] },
    { name: `rnn.bias_ih_l${index}`, layer, shape: [rows] },
    { name: `rnn.bias_hh_l${index}`, layer, shape: [rows] },
  ];
}
