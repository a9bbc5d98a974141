/** One time step of each cell. Part of the kernel contract (../contract.ts). */
import type { Offset } from '../../memory/table.ts';

/**
 * One time step of a cell, all its rows. `gates` holds the pre-activations on entry of a forward, the
 * activations after it, and their gradients with respect to the pre-activations after a backward.
 * `dHidden` is the whole gradient of the loss with respect to the step's hidden state.
 */
export interface CellKernels {
  /** hidden (R, H) = tanh(gates), or max(0, gates) where relu is 1. hidden may alias gates. */
  rnnForward(gates: Offset, hidden: Offset, rows: number, width: number, relu: 0 | 1): void;
  /** gates (R, H) = dHidden ⊙ (1 − hidden²), or dHidden where hidden > 0, else 0. */
  rnnBackward(
    gates: Offset,
    hidden: Offset,
    dHidden: Offset,
    rows: number,
    width: number,
    relu: 0 | 1,
  ): void;
  /**
   * gates (R, 4H) in the order i, f, g, o: i, f, o = σ, g = tanh; cell = f ⊙ cellBefore + i ⊙ g;
   * hidden = o ⊙ tanh(cell). Hochreiter & Schmidhuber 1997 with forget gates; the equations of torch.nn.LSTM.
   */
  lstmForward(
    gates: Offset,
    cellBefore: Offset,
    cell: Offset,
    hidden: Offset,
    rows: number,
    width: number,
  ): void;
  /** `dCell` (R, H): on entry from the step after (beyond dHidden's share), on return for the step before. */
  lstmBackward(
    gates: Offset,
    cellBefore: Offset,
    cell: Offset,
    dHidden: Offset,
    dCell: Offset,
    rows: number,
    width: number,
  ): void;
  /**
   * gates (R, 4H) in the order r, z, n, u: on entry pre-activations of r and z, the input's share of n, and
   * u = the recurrent product's share of n with its bias. r, z = σ; n = tanh(n + r ⊙ u); hidden = (1 − z) ⊙ n + z ⊙
   * hiddenBefore. u stays. The equations of torch.nn.GRU (Cho et al. 2014, reset gate after the recurrent product).
   */
  gruForward(
    gates: Offset,
    hiddenBefore: Offset,
    hidden: Offset,
    rows: number,
    width: number,
  ): void;
  /** gates become the gradients of r, z, n (the input's share) and u; dHiddenBefore += dHidden ⊙ z. */
  gruBackward(
    gates: Offset,
    hiddenBefore: Offset,
    dHidden: Offset,
    dHiddenBefore: Offset,
    rows: number,
    width: number,
  ): void;
}
