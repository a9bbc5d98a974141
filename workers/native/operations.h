/**
 * The kernels of the path that this unit is compiled for, each with the type it has in the table. Every
 * source but the boundary is compiled once per path: THREADLOOM_PATH is the namespace (avx512 or avx2),
 * so that no inline function or template compiled for one processor can be linked into the other path.
 * For the same reason the sources use no templates of the standard library.
 */
#pragma once

#include "kernels.h"

namespace threadloom::THREADLOOM_PATH {

template <class Pointer>
struct Pointed;
template <class Function>
struct Pointed<Function*> {
  using Type = Function;
};
template <class Pointer>
using Operation = typename Pointed<Pointer>::Type;

Operation<decltype(Kernels::packedLength)> packedLength;
Operation<decltype(Kernels::pack)> pack;
Operation<decltype(Kernels::multiply)> multiply;
Operation<decltype(Kernels::scratchLength)> scratchLength;
Operation<decltype(Kernels::multiplyTransposed)> multiplyTransposed;
Operation<decltype(Kernels::sumRows)> sumRows;
Operation<decltype(Kernels::rnnForward)> rnnForward;
Operation<decltype(Kernels::rnnBackward)> rnnBackward;
Operation<decltype(Kernels::lstmForward)> lstmForward;
Operation<decltype(Kernels::lstmBackward)> lstmBackward;
Operation<decltype(Kernels::gruForward)> gruForward;
Operation<decltype(Kernels::gruBackward)> gruBackward;
Operation<decltype(Kernels::softmaxCrossEntropy)> softmaxCrossEntropy;
Operation<decltype(Kernels::gatherRows)> gatherRows;
Operation<decltype(Kernels::scatterAddRows)> scatterAddRows;
Operation<decltype(Kernels::dropout)> dropout;
Operation<decltype(Kernels::add)> add;
Operation<decltype(Kernels::sumScratchLength)> sumScratchLength;
Operation<decltype(Kernels::sumLanes)> sumLanes;
Operation<decltype(Kernels::copy)> copy;
Operation<decltype(Kernels::fill)> fill;
Operation<decltype(Kernels::sumOfSquares)> sumOfSquares;
Operation<decltype(Kernels::sgd)> sgd;
Operation<decltype(Kernels::adam)> adam;
Operation<decltype(Kernels::rmsprop)> rmsprop;
Operation<decltype(Kernels::multiplyAddLoop)> multiplyAddLoop;

}  // namespace threadloom::THREADLOOM_PATH
