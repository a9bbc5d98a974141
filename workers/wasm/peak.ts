/**
 * The most multiply-adds that the processor does in registers: twelve independent chains, enough to hide the latency
 * of each. For benchmarks.
 */
import { LANES, multiplyAdd } from './lanes';

const CHAINS: f64 = 12;

/** Runs each chain `iterations` times; returns the floating-point operations done, 2 a multiply-add. */
export function multiplyAddLoop(iterations: i32): f64 {
  const factor = f32x4.splat(0.9999);
  const term = f32x4.splat(0.0001);
  let a = f32x4.splat(0.1);
  let b = f32x4.splat(0.2);
  let c = f32x4.splat(0.3);
  let d = f32x4.splat(0.4);
  let e = f32x4.splat(0.5);
  let f = f32x4.splat(0.6);
  let g = f32x4.splat(0.7);
  let h = f32x4.splat(0.8);
  let i = f32x4.splat(0.9);
  let j = f32x4.splat(1.1);
  let k = f32x4.splat(1.2);
  let l = f32x4.splat(1.3);
  for (let n = 0; n < iterations; n++) {
    a = multiplyAdd(a, factor, term);
    b = multiplyAdd(b, factor, term);
    c = multiplyAdd(c, factor, term);
    d = multiplyAdd(d, factor, term);
    e = multiplyAdd(e, factor, term);
    f = multiplyAdd(f, factor, term);
    g = multiplyAdd(g, factor, term);
    h = multiplyAdd(h, factor, term);
    i = multiplyAdd(i, factor, term);
    j = multiplyAdd(j, factor, term);
    k = multiplyAdd(k, factor, term);
    l = multiplyAdd(l, factor, term);
  }
  const sum0 = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  const sum1 = f32x4.add(f32x4.add(e, f), f32x4.add(g, h));
  const sum2 = f32x4.add(f32x4.add(i, j), f32x4.add(k, l));
  const sum = f32x4.add(f32x4.add(sum0, sum1), sum2);
  // The chains tend to 1: never NaN, so nothing is added, but the compiler cannot leave them out.
  const unused: f64 = f32x4.extract_lane(sum, 0) != f32x4.extract_lane(sum, 0) ? 1 : 0;
  return 2 * CHAINS * LANES * <f64>iterations + unused;
}
