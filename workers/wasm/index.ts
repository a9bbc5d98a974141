/** The wasm backend: every operation of src/kernels/contract.ts under the contract's name. */
export { gruBackward, gruForward } from './gru';
export { lstmBackward, lstmForward } from './lstm';
export { multiply } from './multiply';
export { multiplyTransposed, scratchLength } from './multiply-transposed';
export { adam, rmsprop, sgd } from './optimizers';
export { pack, packedLength } from './pack';
export { multiplyAddLoop } from './peak';
export { rnnBackward, rnnForward } from './rnn';
export { softmaxCrossEntropy } from './softmax';
export { sumLanes, sumScratchLength } from './sum-lanes';
export { sumRows } from './sum-rows';
export { dropout, gatherRows, scatterAddRows } from './tokens';
export { add, copy, fill, sumOfSquares } from './vector';
