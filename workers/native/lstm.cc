/**
 * One time step of the LSTM (Hochreiter & Schmidhuber 1997, with forget gates; torch.nn.LSTM). gates (R,
 * 4H) in the order i, f, g, o; every other operand (R, H). Rows without gaps; the tail of a row is
 * masked. Operands alias nothing. Errors: those of the activations, and one rounding for each operation
 * written.
 */
#include "activations.h"
#include "operations.h"

namespace threadloom::THREADLOOM_PATH {

/** i, f, o = σ(gates), g = tanh(gates); cell = f ⊙ cellBefore + i ⊙ g; hidden = o ⊙ tanh(cell). */
void lstmForward(float* gates, const float* cellBefore, float* cell, float* hidden, Size rows,
                 Size width) {
  for (Size row = 0; row < rows; row++) {
    forEachVector(width, [=](Size j, auto lanes) {
      float* gate = gates + j;
      const Vector i = sigmoid(load(gate, lanes));
      const Vector f = sigmoid(load(gate + width, lanes));
      const Vector g = hyperbolicTangent(load(gate + 2 * width, lanes));
      const Vector o = sigmoid(load(gate + 3 * width, lanes));
      const Vector c = multiplyAdd(f, load(cellBefore + j, lanes), i * g);
      store(gate, i, lanes);
      store(gate + width, f, lanes);
      store(gate + 2 * width, g, lanes);
      store(gate + 3 * width, o, lanes);
      store(cell + j, c, lanes);
      store(hidden + j, o * hyperbolicTangent(c), lanes);
    });
    gates += 4 * width;
    cellBefore += width;
    cell += width;
    hidden += width;
  }
}

/** gates become the gradients of the pre-activations; dCell goes from the step after to the step before. */
void lstmBackward(float* gates, const float* cellBefore, const float* cell, const float* dHidden,
                  float* dCell, Size rows, Size width) {
  const Vector one = broadcast(1);
  for (Size row = 0; row < rows; row++) {
    forEachVector(width, [=](Size j, auto lanes) {
      float* gate = gates + j;
      const Vector i = load(gate, lanes);
      const Vector f = load(gate + width, lanes);
      const Vector g = load(gate + 2 * width, lanes);
      const Vector o = load(gate + 3 * width, lanes);
      const Vector tanhCell = hyperbolicTangent(load(cell + j, lanes));
      const Vector dh = load(dHidden + j, lanes);
      const Vector dTanh = subtractProduct(one, tanhCell, tanhCell);
      const Vector dc = multiplyAdd(dh * o, dTanh, load(dCell + j, lanes));
      store(gate, dc * g * i * (one - i), lanes);
      store(gate + width, dc * load(cellBefore + j, lanes) * f * (one - f), lanes);
      store(gate + 2 * width, dc * i * subtractProduct(one, g, g), lanes);
      store(gate + 3 * width, dh * tanhCell * o * (one - o), lanes);
      store(dCell + j, dc * f, lanes);
    });
    gates += 4 * width;
    cellBefore += width;
    cell += width;
    dHidden += width;
    dCell += width;
  }
}

}  // namespace threadloom::THREADLOOM_PATH
