/**
 * The table of one path's kernels, as src/kernels/contract.ts defines them, with addresses where the
 * contract has offsets. Shared by the boundary and by every path, so it must mean the same under any
 * compiler flags: plain data and function pointers only.
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace threadloom {

using Size = std::ptrdiff_t;

/** How `multiply` begins each element of the result; START in the contract. */
enum Start : Size { START_ZERO = 0, START_BIAS = 1, START_ACCUMULATE = 2 };

/**
 * Number of the form of this table, in src/kernels/native.ts too: one more whenever a member's parameters or their
 * meaning change, so that an addon built before is not called by what came after.
 */
constexpr int CONTRACT = 3;

struct Kernels {
  Size panelColumns;
  Size (*packedLength)(Size k, Size n);
  void (*pack)(const float* source, Size stride, Size transposed, Size k, Size n, Size firstRow,
               Size rows, Size firstColumn, Size columns, float* packed);
  void (*multiply)(const float* a, Size aStride, const float* packed, float* c, Size cStride, Size m,
                   Size k, Size n, Size start, const float* bias, const float* ahead,
                   Size aheadLength);
  Size (*scratchLength)(Size groups, Size rows, Size lanes, Size m, Size n);
  void (*multiplyTransposed)(const float* a, Size aStride, Size aGroupStride, const float* b,
                             Size bStride, Size bGroupStride, Size groups,
                             const std::int32_t* laneRows, Size lanes, float* c,
                             Size cStride, Size m, Size n, Size accumulate, float* scratch);
  void (*sumRows)(const float* a, Size aStride, Size aGroupStride, Size groups, Size rows, Size n,
                  Size accumulate, float* out);

  void (*rnnForward)(const float* gates, float* hidden, Size rows, Size width, Size relu);
  void (*rnnBackward)(float* gates, const float* hidden, const float* dHidden, Size rows, Size width,
                      Size relu);
  void (*lstmForward)(float* gates, const float* cellBefore, float* cell, float* hidden, Size rows,
                      Size width);
  void (*lstmBackward)(float* gates, const float* cellBefore, const float* cell,
                       const float* dHidden, float* dCell, Size rows, Size width);
  void (*gruForward)(float* gates, const float* hiddenBefore, float* hidden, Size rows, Size width);
  void (*gruBackward)(float* gates, const float* hiddenBefore, const float* dHidden,
                      float* dHiddenBefore, Size rows, Size width);

  void (*softmaxCrossEntropy)(float* logits, const std::int32_t* targets, Size rows, Size n,
                              float* losses);
  void (*gatherRows)(const float* source, Size sourceStride, const std::int32_t* index, Size rows,
                     Size n, float* out, Size outStride);
  void (*scatterAddRows)(const float* a, Size aStride, Size aGroupStride, const std::int32_t* index,
                         Size indexGroupStride, Size groups, Size rows, Size n, float* out,
                         Size outStride);
  void (*dropout)(const float* source, float* out, Size rows, Size n, Size firstStream, Size key,
                  Size threshold, double scale);

  void (*add)(const float* a, const float* b, float* out, Size n);
  Size (*sumScratchLength)(Size lanes);
  void (*sumLanes)(const float* base, const std::int32_t* places, Size lanes, Size n, float* out,
                   float* scratch);
  void (*copy)(const float* source, float* out, Size n);
  void (*fill)(float* out, Size n, double value);
  double (*sumOfSquares)(const float* a, Size n);

  void (*sgd)(const float* parameters, float* parametersNext, const float* velocity,
              float* velocityNext, const float* gradient, Size n, double gradientScale,
              double clipValue, double learningRate, double weightDecay, double momentum,
              Size nesterov);
  void (*adam)(const float* parameters, float* parametersNext, const float* first, float* firstNext,
               const float* second, float* secondNext, const float* gradient, Size n,
               double gradientScale, double clipValue, double stepSize, double inverseRootCorrection,
               double beta1, double beta2, double epsilon, double weightDecay, double decay);
  void (*rmsprop)(const float* parameters, float* parametersNext, const float* second,
                  float* secondNext, const float* gradient, Size n, double gradientScale,
                  double clipValue, double learningRate, double alpha, double epsilon,
                  double weightDecay);

  double (*multiplyAddLoop)(Size iterations);
};

/** Needs AVX-512 F, BW, DQ and VL. */
extern const Kernels avx512Kernels;
/** Needs AVX2 and FMA. */
extern const Kernels avx2Kernels;

}  // namespace threadloom
