/**
 * Rows in groups, as gradients of time steps and streams lie: they are walked along, and prefetched, because a row is too short
 * for the processor to foresee the next.
 */
#pragma once

#include "panels.h"

namespace threadloom::THREADLOOM_PATH {

/** Rows that a loop over them has prefetched before it comes to them. */
constexpr Size PREFETCHED_ROWS = 8;

/** An operand's rows in order of group, then row. */
struct GroupedRows {
  const float* first;
  Size stride;
  Size groupStride;
  /** At least 1 where a row is read. */
  Size rows;
};

/** Walks along the rows of an operand: a division a row would cost as much as copying it. */
class RowCursor {
 public:
  RowCursor(const GroupedRows& operand, Size index) : operand_(operand) {
    const Size group = operand.rows > 0 ? index / operand.rows : 0;
    const Size row = index - group * operand.rows;
    row_ = operand.first + group * operand.groupStride + row * operand.stride;
    left_ = operand.rows - row;
  }

  const float* row() const { return row_; }

  void advance() {
    row_ += operand_.stride;
    if (--left_ > 0) return;
    row_ += operand_.groupStride - operand_.rows * operand_.stride;
    left_ = operand_.rows;
  }

 private:
  GroupedRows operand_;
  const float* row_;
  Size left_;
};

/** `columns` words of some consecutive rows. */
struct RowBlock {
  GroupedRows operand;
  Block rows;
  Size columns;
};

/** LOCALITY: 3 for the first-level cache, 2 for the second. A row of at least one word may begin within a line. */
template <int LOCALITY>
inline void prefetchRow(const float* row, Size length) {
  for (Size i = 0; i < length; i += LINE) __builtin_prefetch(row + i, 0, LOCALITY);
  __builtin_prefetch(row + length - 1, 0, LOCALITY);
}

/** Prefetches a block into the second-level cache, a few rows before each tile until all are done, by the last of so many. */
class RowPrefetcher {
 public:
  RowPrefetcher(const RowBlock& block, Size tiles)
      : cursor_(block.operand, block.rows.first),
        columns_(block.columns),
        left_(block.columns > 0 && tiles > 0 ? block.rows.depth : 0),
        rowsPerTile_(left_ > 0 ? ceilingDivide(left_, tiles) : 0) {}

  void advance() {
    if (left_ == 0) return;
    const Size rows = lesser(rowsPerTile_, left_);
    for (Size i = 0; i < rows; i++) {
      prefetchRow<2>(cursor_.row(), columns_);
      cursor_.advance();
    }
    left_ -= rows;
  }

 private:
  RowCursor cursor_;
  Size columns_;
  Size left_;
  Size rowsPerTile_;
};

}  // namespace threadloom::THREADLOOM_PATH
