/**
 * Tokens a second that TensorFlow.js trains an LSTM on its CPU backend (plain JavaScript): the same
 * network and step as the others, of `basicLSTMCell`, as its layers do not clip by the global norm.
 */
import { loadPackage, makeIds, reportSteps, workload } from './peer.mjs';

const LEARNING_RATE = 2e-3;
const CLIP_NORM = 1;
const LEAST_STEPS = 2;

const tf = await loadPackage('@tensorflow/tfjs');
await tf.setBackend('cpu');
const { hidden, layers, batch, chunk, vocab } = workload;

const uniform = (...shape) => {
  const bound = 1 / Math.sqrt(hidden);
  return tf.variable(tf.randomUniform(shape, -bound, bound));
};
const embedding = uniform(vocab, hidden);
/** (E + H, 4H) and (4H) */
const cells = Array.from({ length: layers }, () => ({
  weights: uniform(2 * hidden, 4 * hidden),
  bias: uniform(4 * hidden),
}));
const head = { weights: uniform(hidden, vocab), bias: uniform(vocab) };
const forgetBias = tf.scalar(1);

/** (T, N), and (T·N, V) with a one for each target. */
const ids = tf.tensor2d(makeIds(chunk * batch, vocab), [chunk, batch], 'int32');
const targets = tf.oneHot(tf.tensor1d(makeIds(chunk * batch + 7, vocab).slice(7), 'int32'), vocab);
const optimizer = tf.train.adam(LEARNING_RATE);

/** Of each layer, (N, H) both; carried from chunk to chunk. */
let state = cells.map(() => ({ c: tf.zeros([batch, hidden]), h: tf.zeros([batch, hidden]) }));

function forward() {
  const next = [...state];
  const outputs = tf.unstack(ids).map((row) => {
    let input = tf.gather(embedding, row);
    for (const [layer, { weights, bias }] of cells.entries()) {
      const { c, h } = next[layer];
      const [newC, newH] = tf.basicLSTMCell(forgetBias, weights, bias, input, c, h);
      next[layer] = { c: newC, h: newH };
      input = newH;
    }
    return input;
  });
  const logits = tf.add(tf.matMul(tf.concat(outputs), head.weights), head.bias);
  for (const { c, h } of next) {
    tf.keep(c);
    tf.keep(h);
  }
  return { loss: tf.losses.softmaxCrossEntropy(targets, logits), next };
}

function step() {
  let next;
  const { value, grads } = tf.variableGrads(() => {
    const result = forward();
    next = result.next;
    return result.loss;
  });
  tf.tidy(() => optimizer.applyGradients(clip(grads)));
  tf.dispose([value, grads, state]);
  state = next;
}

function clip(gradients) {
  const squares = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)));
  const scale = tf.minimum(1, tf.div(CLIP_NORM, tf.add(tf.sqrt(tf.addN(squares)), 1e-6)));
  return Object.fromEntries(
    Object.entries(gradients).map(([name, gradient]) => [name, tf.mul(gradient, scale)]),
  );
}

reportSteps(step, batch * chunk, LEAST_STEPS);
