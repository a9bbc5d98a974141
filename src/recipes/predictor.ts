/** A model of a checkpoint on the calling thread, one token of every stream at a time: for sampling. */
import type { CheckpointFile } from '../checkpoint/reader.ts';
import { type EnginePlan, planEngine } from '../coordinator/engine.ts';
import { type BackendRequest, chooseKernels, createKernels } from '../kernels/backend.ts';
import { freeMemoryBytes } from '../machine.ts';
import { type ArenaViews, createArena, viewArena } from '../memory/arena.ts';
import { Network } from '../model/network.ts';
import { packAll } from '../model/packing.ts';
import { loadParameters } from './restore.ts';

export class Predictor {
  readonly #plan: EnginePlan;
  readonly #views: ArenaViews;
  readonly #network: Network;
  #time = 0;

  /** Throws InputError where the model does not fit the memory or the backend does not load. */
  constructor(checkpoint: CheckpointFile, streams: number, backend: BackendRequest) {
    const choice = chooseKernels(backend);
    const spec = checkpoint.header.model;
    const plan = planEngine(
      { spec, times: 1, workers: 1, kernels: choice, evaluationStreams: streams },
      freeMemoryBytes(),
    );
    const { table, layout } = plan;
    const memory = createArena(layout.words);
    const kernels = createKernels(choice, memory);
    this.#plan = plan;
    this.#views = viewArena(memory);
    loadParameters(checkpoint, plan, this.#views, 0);
    packAll(kernels, table, layout.parameters[0], layout.packed);
    this.#network = new Network(table, kernels, this.#views, layout.packed, layout.shards[0]);
  }

  /** Takes one id of each stream; returns each stream's logits (V) for the next one, valid until the next call. */
  step(ids: ArrayLike<number>): Float32Array[] {
    const { layout, request } = this.#plan;
    const [slot] = layout.evaluationRing;
    const streams = request.evaluationStreams;
    this.#views.ints.set(ids, slot.ids);
    this.#network.predict(
      { parameters: layout.parameters[0], times: 1, rows: streams, headTimes: 1 },
      slot,
      {
        streams,
        firstStream: 0,
        carryIn: this.#time === 0 ? 0 : layout.evaluationCarries[this.#time % 2],
        carryOut: layout.evaluationCarries[(this.#time + 1) % 2],
      },
    );
    this.#time++;
    const { vocabulary } = request.spec;
    return Array.from({ length: streams }, (_, stream) => {
      const start = layout.shards[0].logits + stream * vocabulary;
      return this.#views.reals.subarray(start, start + vocabulary);
    });
  }
}
