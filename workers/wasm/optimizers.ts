/**
 * Updates of n parameters from generation g into generation g+1 (`…Next`), which alias nothing. The
 * gradient used is clamp(gradientScale · gradient, ±clipValue) + weightDecay · w; NaN stays NaN.
 * Element by element, so that a range may be cut anywhere. Tails: a vector of fewer numbers, the
 * same operations. Scalars arrive in float64, so that 1 − β is formed before it is rounded to
 * float32.
 */
import { addressOf, LANES, load, multiplyAdd, store, VECTOR_BYTES } from './lanes';

/**
 * Where momentum is 0: w' = w − lr·g, and the velocities are not touched. Else v' = momentum·v + g;
 * w' = w − lr·(nesterov ? g + momentum·v' : v'). The equations of torch.optim.SGD.
 */
export function sgd(
  parameters: i32,
  parametersNext: i32,
  velocity: i32,
  velocityNext: i32,
  gradient: i32,
  n: i32,
  gradientScale: f64,
  clipValue: f64,
  learningRate: f64,
  weightDecay: f64,
  momentum: f64,
  nesterov: i32,
): void {
  const scale = splat(gradientScale);
  const limit = splat(clipValue);
  const rate = splat(-learningRate);
  const decay = splat(weightDecay);
  const inertia = splat(momentum);
  let w = addressOf(parameters);
  let wNext = addressOf(parametersNext);
  let v = addressOf(velocity);
  let vNext = addressOf(velocityNext);
  let gradients = addressOf(gradient);
  let left = n;
  for (; left >= LANES; left -= LANES) {
    const g = usedGradient(gradients, scale, limit, decay, w, LANES);
    const step = momentum == 0 ? g : sgdVelocity(g, v, vNext, inertia, nesterov, LANES);
    store(wNext, multiplyAdd(rate, step, load(w, LANES)), LANES);
    w += VECTOR_BYTES;
    wNext += VECTOR_BYTES;
    v += VECTOR_BYTES;
    vNext += VECTOR_BYTES;
    gradients += VECTOR_BYTES;
  }
  if (left > 0) {
    const g = usedGradient(gradients, scale, limit, decay, w, left);
    const step = momentum == 0 ? g : sgdVelocity(g, v, vNext, inertia, nesterov, left);
    store(wNext, multiplyAdd(rate, step, load(w, left)), left);
  }
}

/** Writes v' = momentum·v + g and returns the direction of the step. */
// @ts-ignore: decorator
@inline
function sgdVelocity(
  g: v128,
  v: usize,
  vNext: usize,
  momentum: v128,
  nesterov: i32,
  count: i32,
): v128 {
  const velocity = multiplyAdd(momentum, load(v, count), g);
  store(vNext, velocity, count);
  return nesterov ? multiplyAdd(momentum, velocity, g) : velocity;
}

/**
 * m' = β₁m + (1−β₁)g; v' = β₂v + (1−β₂)g²; w' = decay·w − stepSize · m' / (√v' ·
 * inverseRootCorrection + ε). Kingma & Ba 2015; Loshchilov & Hutter 2019; the equations of
 * torch.optim.Adam and AdamW.
 */
export function adam(
  parameters: i32,
  parametersNext: i32,
  first: i32,
  firstNext: i32,
  second: i32,
  secondNext: i32,
  gradient: i32,
  n: i32,
  gradientScale: f64,
  clipValue: f64,
  stepSize: f64,
  inverseRootCorrection: f64,
  beta1: f64,
  beta2: f64,
  epsilon: f64,
  weightDecay: f64,
  decay: f64,
): void {
  const scale = splat(gradientScale);
  const limit = splat(clipValue);
  const decayL2 = splat(weightDecay);
  const keepFirst = splat(beta1);
  const takeFirst = splat(1 - beta1);
  const keepSecond = splat(beta2);
  const takeSecond = splat(1 - beta2);
  const correction = splat(inverseRootCorrection);
  const floor = splat(epsilon);
  const rate = splat(-stepSize);
  const shrink = splat(decay);
  let w = addressOf(parameters);
  let wNext = addressOf(parametersNext);
  let m = addressOf(first);
  let mNext = addressOf(firstNext);
  let v = addressOf(second);
  let vNext = addressOf(secondNext);
  let gradients = addressOf(gradient);
  let left = n;
  for (; left >= LANES; left -= LANES) {
    const g = usedGradient(gradients, scale, limit, decayL2, w, LANES);
    const mean = averaged(keepFirst, m, takeFirst, g, mNext, LANES);
    const square = averaged(keepSecond, v, f32x4.mul(takeSecond, g), g, vNext, LANES);
    const root = multiplyAdd(f32x4.sqrt(square), correction, floor);
    const step = f32x4.div(f32x4.mul(rate, mean), root);
    store(wNext, multiplyAdd(shrink, load(w, LANES), step), LANES);
    w += VECTOR_BYTES;
    wNext += VECTOR_BYTES;
    m += VECTOR_BYTES;
    mNext += VECTOR_BYTES;
    v += VECTOR_BYTES;
    vNext += VECTOR_BYTES;
    gradients += VECTOR_BYTES;
  }
  if (left > 0) {
    const g = usedGradient(gradients, scale, limit, decayL2, w, left);
    const mean = averaged(keepFirst, m, takeFirst, g, mNext, left);
    const square = averaged(keepSecond, v, f32x4.mul(takeSecond, g), g, vNext, left);
    const root = multiplyAdd(f32x4.sqrt(square), correction, floor);
    const step = f32x4.div(f32x4.mul(rate, mean), root);
    store(wNext, multiplyAdd(shrink, load(w, left), step), left);
  }
}

/** v' = αv + (1−α)g²; w' = w − lr·g / (√v' + ε). Tieleman & Hinton 2012; torch.optim.RMSprop. */
export function rmsprop(
  parameters: i32,
  parametersNext: i32,
  second: i32,
  secondNext: i32,
  gradient: i32,
  n: i32,
  gradientScale: f64,
  clipValue: f64,
  learningRate: f64,
  alpha: f64,
  epsilon: f64,
  weightDecay: f64,
): void {
  const scale = splat(gradientScale);
  const limit = splat(clipValue);
  const decay = splat(weightDecay);
  const keep = splat(alpha);
  const take = splat(1 - alpha);
  const floor = splat(epsilon);
  const rate = splat(-learningRate);
  let w = addressOf(parameters);
  let wNext = addressOf(parametersNext);
  let v = addressOf(second);
  let vNext = addressOf(secondNext);
  let gradients = addressOf(gradient);
  let left = n;
  for (; left >= LANES; left -= LANES) {
    const g = usedGradient(gradients, scale, limit, decay, w, LANES);
    const square = averaged(keep, v, f32x4.mul(take, g), g, vNext, LANES);
    const step = f32x4.div(f32x4.mul(rate, g), f32x4.add(f32x4.sqrt(square), floor));
    store(wNext, f32x4.add(load(w, LANES), step), LANES);
    w += VECTOR_BYTES;
    wNext += VECTOR_BYTES;
    v += VECTOR_BYTES;
    vNext += VECTOR_BYTES;
    gradients += VECTOR_BYTES;
  }
  if (left > 0) {
    const g = usedGradient(gradients, scale, limit, decay, w, left);
    const square = averaged(keep, v, f32x4.mul(take, g), g, vNext, left);
    const step = f32x4.div(f32x4.mul(rate, g), f32x4.add(f32x4.sqrt(square), floor));
    store(wNext, f32x4.add(load(w, left), step), left);
  }
}

// @ts-ignore: decorator
@inline
function splat(value: f64): v128 {
  return f32x4.splat(<f32>value);
}

/**
 * clamp(scale · gradient, ±limit) + decay · w. A comparison with NaN is false, so that NaN passes.
 */
// @ts-ignore: decorator
@inline
function usedGradient(
  gradient: usize,
  scale: v128,
  limit: v128,
  decay: v128,
  w: usize,
  count: i32,
): v128 {
  const below = f32x4.pmin(f32x4.mul(scale, load(gradient, count)), limit);
  const clamped = f32x4.pmax(below, f32x4.neg(limit));
  return multiplyAdd(decay, load(w, count), clamped);
}

/** Writes next = keep · moment + take · x and returns it. */
// @ts-ignore: decorator
@inline
function averaged(
  keep: v128,
  moment: usize,
  take: v128,
  x: v128,
  next: usize,
  count: i32,
): v128 {
  const average = multiplyAdd(keep, load(moment, count), f32x4.mul(take, x));
  store(next, average, count);
  return average;
}
