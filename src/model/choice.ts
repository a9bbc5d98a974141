/** The choice of the next token from logits: temperature, top-k (Fan et al. 2018), top-p (Holtzman et al. 2020). Pure. */

export interface ChoiceSettings {
  /** Divides the logits; 0 takes the most likely token. */
  readonly temperature: number;
  /** Only the k most likely tokens; 0 is off. */
  readonly topK: number;
  /** Only the fewest most likely tokens whose probabilities reach p; 1 is off. */
  readonly topP: number;
}

/** Picks an id; `random` in [0, 1) decides. Equal logits count in order of id. */
export function chooseToken(
  logits: Float32Array,
  settings: ChoiceSettings,
  random: number,
): number {
  const { temperature, topK, topP } = settings;
  const ranked = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  if (temperature === 0) return ranked[0];
  const kept = topK > 0 ? ranked.slice(0, topK) : ranked;
  const weights = kept.map((id) => Math.exp((logits[id] - logits[kept[0]]) / temperature));
  const count = topP < 1 ? nucleusSize(weights, topP) : weights.length;
  return kept[pick(weights.slice(0, count), random)];
}

/** How many of the descending weights reach the share p of their sum. */
function nucleusSize(weights: readonly number[], p: number): number {
  const limit = p * sum(weights);
  let reached = 0;
  const last = weights.findIndex((weight) => {
    reached += weight;
    return reached >= limit;
  });
  return last < 0 ? weights.length : last + 1;
}

function pick(weights: readonly number[], random: number): number {
  let left = random * sum(weights);
  const index = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return index < 0 ? weights.length - 1 : index;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
