/**
 * One time step of the GRU (Cho et al. 2014, reset gate after the recurrent product; torch.nn.GRU). gates
 * (R, 4H) in the order r, z, n, u, where u is the recurrent product's share of n; every other operand (R,
 * H). Rows without gaps; the tail of a row is masked. Operands alias nothing.
 */
#include "activations.h"
#include "operations.h"

namespace threadloom::THREADLOOM_PATH {

/** r, z = σ(gates); n = tanh(n + r ⊙ u); hidden = (1 − z) ⊙ n + z ⊙ hiddenBefore. u stays. */
void gruForward(float* gates, const float* hiddenBefore, float* hidden, Size rows, Size width) {
  for (Size row = 0; row < rows; row++) {
    forEachVector(width, [=](Size j, auto lanes) {
      float* gate = gates + j;
      const Vector r = sigmoid(load(gate, lanes));
      const Vector z = sigmoid(load(gate + width, lanes));
      const Vector u = load(gate + 3 * width, lanes);
      const Vector n = hyperbolicTangent(multiplyAdd(r, u, load(gate + 2 * width, lanes)));
      store(gate, r, lanes);
      store(gate + width, z, lanes);
      store(gate + 2 * width, n, lanes);
      const Vector fresh = (broadcast(1) - z) * n;
      store(hidden + j, multiplyAdd(z, load(hiddenBefore + j, lanes), fresh), lanes);
    });
    gates += 4 * width;
    hiddenBefore += width;
    hidden += width;
  }
}

/** gates become the gradients of r, z, n (the input's share) and u; dHiddenBefore += dHidden ⊙ z. */
void gruBackward(float* gates, const float* hiddenBefore, const float* dHidden, float* dHiddenBefore,
                 Size rows, Size width) {
  const Vector one = broadcast(1);
  for (Size row = 0; row < rows; row++) {
    forEachVector(width, [=](Size j, auto lanes) {
      float* gate = gates + j;
      const Vector r = load(gate, lanes);
      const Vector z = load(gate + width, lanes);
      const Vector n = load(gate + 2 * width, lanes);
      const Vector u = load(gate + 3 * width, lanes);
      const Vector dh = load(dHidden + j, lanes);
      const Vector dn = dh * (one - z) * subtractProduct(one, n, n);
      store(gate, dn * u * r * (one - r), lanes);
      store(gate + width, dh * (load(hiddenBefore + j, lanes) - n) * z * (one - z), lanes);
      store(gate + 2 * width, dn, lanes);
      store(gate + 3 * width, dn * r, lanes);
      store(dHiddenBefore + j, multiplyAdd(dh, z, load(dHiddenBefore + j, lanes)), lanes);
    });
    gates += 4 * width;
    hiddenBefore += width;
    dHidden += width;
    dHiddenBefore += width;
  }
}

}  // namespace threadloom::THREADLOOM_PATH
