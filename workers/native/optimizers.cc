/**
 * Updates from generation g into generation g+1; the equations are those of OptimizerKernels in the
 * contract. Every operand n words; the next generation aliases nothing. Tails are masked. Division and
 * square root are correctly rounded, so an element does not depend on where it stands nor on the
 * processor.
 *
 * Constants are formed in float64 and rounded once. Relative error of a step: about 10⁻⁶.
 */
#include "operations.h"
#include "vector.h"

namespace threadloom::THREADLOOM_PATH {

static Vector rounded(double value) { return broadcast(static_cast<float>(value)); }

/** clamp(scale · gradient, ±limit) + weightDecay · parameter; NaN stays NaN. */
struct UsedGradient {
  Vector scale;
  Vector limit;
  Vector weightDecay;

  UsedGradient(double gradientScale, double clipValue, double decay)
      : scale(rounded(gradientScale)), limit(rounded(clipValue)), weightDecay(rounded(decay)) {}

  Vector of(Vector gradient, Vector parameter) const {
    const Vector clipped = maximum(broadcast(0) - limit, minimum(limit, scale * gradient));
    return multiplyAdd(weightDecay, parameter, clipped);
  }
};

void sgd(const float* parameters, float* parametersNext, const float* velocity, float* velocityNext,
         const float* gradient, Size n, double gradientScale, double clipValue, double learningRate,
         double weightDecay, double momentum, Size nesterov) {
  const UsedGradient used(gradientScale, clipValue, weightDecay);
  const Vector rate = rounded(learningRate);
  const Vector keep = rounded(momentum);
  if (momentum == 0) {
    forEachVector(n, [=](Size i, auto lanes) {
      const Vector w = load(parameters + i, lanes);
      const Vector g = used.of(load(gradient + i, lanes), w);
      store(parametersNext + i, subtractProduct(w, rate, g), lanes);
    });
    return;
  }
  forEachVector(n, [=](Size i, auto lanes) {
    const Vector w = load(parameters + i, lanes);
    const Vector g = used.of(load(gradient + i, lanes), w);
    const Vector v = multiplyAdd(keep, load(velocity + i, lanes), g);
    store(velocityNext + i, v, lanes);
    const Vector step = nesterov ? multiplyAdd(keep, v, g) : v;
    store(parametersNext + i, subtractProduct(w, rate, step), lanes);
  });
}

void adam(const float* parameters, float* parametersNext, const float* first, float* firstNext,
          const float* second, float* secondNext, const float* gradient, Size n,
          double gradientScale, double clipValue, double stepSize, double inverseRootCorrection,
          double beta1, double beta2, double epsilon, double weightDecay, double decay) {
  const UsedGradient used(gradientScale, clipValue, weightDecay);
  const Vector keepFirst = rounded(beta1), addFirst = rounded(1 - beta1);
  const Vector keepSecond = rounded(beta2), addSecond = rounded(1 - beta2);
  const Vector step = rounded(stepSize), correction = rounded(inverseRootCorrection);
  const Vector floor = rounded(epsilon), shrink = rounded(decay);
  forEachVector(n, [=](Size i, auto lanes) {
    const Vector w = load(parameters + i, lanes);
    const Vector g = used.of(load(gradient + i, lanes), w);
    const Vector m = multiplyAdd(keepFirst, load(first + i, lanes), addFirst * g);
    const Vector v = multiplyAdd(keepSecond, load(second + i, lanes), addSecond * g * g);
    store(firstNext + i, m, lanes);
    store(secondNext + i, v, lanes);
    const Vector change = step * m / multiplyAdd(squareRoot(v), correction, floor);
    store(parametersNext + i, shrink * w - change, lanes);
  });
}

void rmsprop(const float* parameters, float* parametersNext, const float* second, float* secondNext,
             const float* gradient, Size n, double gradientScale, double clipValue,
             double learningRate, double alpha, double epsilon, double weightDecay) {
  const UsedGradient used(gradientScale, clipValue, weightDecay);
  const Vector keep = rounded(alpha), fresh = rounded(1 - alpha);
  const Vector rate = rounded(learningRate), floor = rounded(epsilon);
  forEachVector(n, [=](Size i, auto lanes) {
    const Vector w = load(parameters + i, lanes);
    const Vector g = used.of(load(gradient + i, lanes), w);
    const Vector v = multiplyAdd(keep, load(second + i, lanes), fresh * g * g);
    store(secondNext + i, v, lanes);
    store(parametersNext + i, w - rate * g / (squareRoot(v) + floor), lanes);
  });
}

}  // namespace threadloom::THREADLOOM_PATH
