/** The table of this path; THREADLOOM_TABLE is its name. */
#include "operations.h"
#include "panels.h"

namespace threadloom {

using namespace THREADLOOM_PATH;

const Kernels THREADLOOM_TABLE = {
    .panelColumns = PANEL,
    .packedLength = packedLength,
    .pack = pack,
    .multiply = multiply,
    .scratchLength = scratchLength,
    .multiplyTransposed = multiplyTransposed,
    .sumRows = sumRows,
    .rnnForward = rnnForward,
    .rnnBackward = rnnBackward,
    .lstmForward = lstmForward,
    .lstmBackward = lstmBackward,
    .gruForward = gruForward,
    .gruBackward = gruBackward,
    .softmaxCrossEntropy = softmaxCrossEntropy,
    .gatherRows = gatherRows,
    .scatterAddRows = scatterAddRows,
    .dropout = dropout,
    .add = add,
    .sumScratchLength = sumScratchLength,
    .sumLanes = sumLanes,
    .copy = copy,
    .fill = fill,
    .sumOfSquares = sumOfSquares,
    .sgd = sgd,
    .adam = adam,
    .rmsprop = rmsprop,
    .multiplyAddLoop = multiplyAddLoop,
};

}  // namespace threadloom
