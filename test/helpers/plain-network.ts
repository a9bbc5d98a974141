/** The cells' equations once more, one stream at a time and without any of the program's code: what its results are held against. */
import type { ParameterTable } from '../../src/model/parameters.ts';

/** States of one layer: hidden, and cell of an LSTM. */
export interface State {
  hidden: number[];
  cell: number[];
}

/** Gate activations by their names. */
export type Activations = Record<string, number[]>;

export interface PlainStep {
  state: State[];
  activations: Activations[];
}

export class PlainNetwork {
  readonly #table: ParameterTable;
  readonly #parameters: ArrayLike<number>;

  constructor(table: ParameterTable, parameters: ArrayLike<number>) {
    this.#table = table;
    this.#parameters = parameters;
  }

  /** One time step of all layers. `change` may alter the state of a layer before the one above reads it. */
  step(
    id: number,
    before: readonly State[],
    change?: (layer: number, state: State) => void,
  ): PlainStep {
    const { layers } = this.#table.spec;
    let input = this.#row('embedding.weight', id);
    const step: PlainStep = { state: [], activations: [] };
    for (let layer = 0; layer < layers; layer++) {
      const { state, activations } = this.#cell(layer, input, before[layer]);
      change?.(layer, state);
      step.state.push(state);
      step.activations.push(activations);
      input = state.hidden;
    }
    return step;
  }

  /** −log softmax(logits)[target] of a top state. */
  loss({ hidden }: State, target: number): number {
    const bias = this.#values('head.bias');
    const logits = bias.map((value, id) => value + dot(this.#row('head.weight', id), hidden));
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    return Math.log(total) - logits[target];
  }

  #cell(
    layer: number,
    x: number[],
    { hidden: h, cell: c }: State,
  ): { state: State; activations: Activations } {
    const { cell, activation, hidden: width } = this.#table.spec;
    const share = (side: 'ih' | 'hh', source: number[], gate: number) => {
      const bias = this.#values(`rnn.bias_${side}_l${layer}`);
      return Array.from({ length: width }, (_, j) => {
        const row = gate * width + j;
        return bias[row] + dot(this.#row(`rnn.weight_${side}_l${layer}`, row), source);
      });
    };
    const sum = (gate: number) => add(share('ih', x, gate), share('hh', h, gate));
    if (cell === 'rnn') {
      const bound = (z: number) => (activation === 'relu' ? Math.max(0, z) : Math.tanh(z));
      const hidden = sum(0).map(bound);
      return { state: { hidden, cell: [] }, activations: { h: [...hidden] } };
    }
    if (cell === 'gru') {
      const r = sum(0).map(sigmoid);
      const z = sum(1).map(sigmoid);
      const recurrent = share('hh', h, 2).map((u, j) => r[j] * u);
      const n = add(share('ih', x, 2), recurrent).map(Math.tanh);
      const hidden = n.map((value, j) => (1 - z[j]) * value + z[j] * h[j]);
      return { state: { hidden, cell: [] }, activations: { r, z, n } };
    }
    const [i, f, o] = [0, 1, 3].map((gate) => sum(gate).map(sigmoid));
    const g = sum(2).map(Math.tanh);
    const next = c.map((value, j) => f[j] * value + i[j] * g[j]);
    const hidden = next.map((value, j) => o[j] * Math.tanh(value));
    return { state: { hidden, cell: next }, activations: { i, f, g, o } };
  }

  #values(name: string): number[] {
    const { start, length } = this.#table.get(name);
    return Array.from({ length }, (_, i) => this.#parameters[start + i]);
  }

  #row(name: string, row: number): number[] {
    const { start, shape } = this.#table.get(name);
    const width = shape[1];
    return Array.from({ length: width }, (_, i) => this.#parameters[start + row * width + i]);
  }
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function add(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value + b[i]);
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
