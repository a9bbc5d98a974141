/**
 * One time step of the vanilla RNN (Elman 1990; torch.nn.RNN). All operands (R, H), rows without gaps, so
 * the step is one run of R·H elements; the tail is masked.
 */
#include "activations.h"
#include "operations.h"

namespace threadloom::THREADLOOM_PATH {

/** hidden = tanh(gates) or max(0, gates), NaN staying NaN. hidden may alias gates. */
void rnnForward(const float* gates, float* hidden, Size rows, Size width, Size relu) {
  if (relu) {
    forEachVector(rows * width, [=](Size i, auto lanes) {
      store(hidden + i, maximum(broadcast(0), load(gates + i, lanes)), lanes);
    });
  } else {
    forEachVector(rows * width, [=](Size i, auto lanes) {
      store(hidden + i, hyperbolicTangent(load(gates + i, lanes)), lanes);
    });
  }
}

/** gates = dHidden ⊙ (1 − hidden²), or dHidden where hidden > 0, else 0. */
void rnnBackward(float* gates, const float* hidden, const float* dHidden, Size rows, Size width,
                 Size relu) {
  if (relu) {
    forEachVector(rows * width, [=](Size i, auto lanes) {
      const auto active = greaterThan(load(hidden + i, lanes), broadcast(0));
      store(gates + i, select(active, load(dHidden + i, lanes), broadcast(0)), lanes);
    });
  } else {
    forEachVector(rows * width, [=](Size i, auto lanes) {
      const Vector h = load(hidden + i, lanes);
      store(gates + i, load(dHidden + i, lanes) * subtractProduct(broadcast(1), h, h), lanes);
    });
  }
}

}  // namespace threadloom::THREADLOOM_PATH
