/** The loss over a whole text, on the pool. The training carry and the parameters stay as they are. */
import { chunkWindow, type StreamPlan } from '../data/streams.ts';
import type { ArenaLayout } from '../memory/layout.ts';
import type { FillOutcome, FillRequest, StreamsRequest } from '../pool/actor-protocol.ts';
import type { Coordinator } from './coordinator.ts';
import { ChunkFeed, fillRequests } from './feed.ts';
import type { Span } from './plan.ts';

export interface EvaluationParts {
  coordinator: Coordinator;
  layout: ArenaLayout;
  /** Calls of the loader. */
  fill: (requests: readonly FillRequest[]) => Promise<readonly FillOutcome[]>;
  /** The text, cut into as many streams as `spans` hold. */
  source: StreamsRequest;
  plan: StreamPlan;
  spans: readonly Span[];
}

export interface EvaluationOutcome {
  /** Nats a token. */
  loss: number;
  tokens: number;
  seconds: number;
}

/** Scores every target of every stream from zero states. Undefined where the signal ended it. */
export async function evaluateStreams(
  { coordinator, layout, fill, source, plan, spans }: EvaluationParts,
  signal?: AbortSignal,
): Promise<EvaluationOutcome | undefined> {
  const started = performance.now();
  const chunks = Array.from({ length: plan.chunks }, (_, chunk) => chunk);
  const feed = new ChunkFeed(chunks, layout.evaluationRing.length, (wanted) =>
    fill(fillRequests(wanted, plan, source, layout.evaluationRing)),
  );
  // By stream first, so that the sum does not depend on how the streams were shared out.
  const losses = new Float64Array(plan.streams);
  try {
    for (let [fed] = await feed.next(); fed; [fed] = await feed.next()) {
      if (signal?.aborted) return undefined;
      const { times } = chunkWindow(plan, fed.chunk);
      const computing = coordinator.evaluateChunk(spans, fed.slot, fed.chunk, times);
      feed.refill();
      for (const [stream, loss] of (await computing).entries()) losses[stream] += loss;
    }
  } finally {
    await feed.close();
  }
  const tokens = plan.streams * plan.length;
  const loss = losses.reduce((sum, value) => sum + value, 0) / tokens;
  return { loss, tokens, seconds: (performance.now() - started) / 1000 };
}
