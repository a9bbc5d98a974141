/** Which rows a table of a long history shows. Pure. */

export interface TableRow {
  step: number;
  /** One text a column, the step left out. */
  cells: readonly string[];
  /** It has a value that few steps have, such as a validation. */
  isRare?: boolean;
}

/** Rows of each of the two kinds: more would be slow to make and to read. */
const MAX_ROWS = 100;

/**
 * The rows to show, the newest first, and whether that is all of them. Rows of one step stay together, and so many steps are
 * left out that no others need to be; those with a rare value are thinned by themselves.
 */
export function rowsToShow(rows: readonly TableRow[]): { shown: TableRow[]; isAll: boolean } {
  const rare = new Set(rows.filter(({ isRare }) => isRare).map(({ step }) => step));
  const steps = new Set([
    ...thinned(rows.filter(({ step }) => rare.has(step))),
    ...thinned(rows.filter(({ step }) => !rare.has(step))),
  ]);
  const shown = rows.filter(({ step }) => steps.has(step)).toReversed();
  return { shown, isAll: shown.length === rows.length };
}

/** Evenly spread steps of ascending rows, the last always among them. */
function thinned(rows: readonly TableRow[]): number[] {
  const steps = [...new Set(rows.map(({ step }) => step))];
  const stride = Math.ceil(rows.length / MAX_ROWS);
  return steps.filter((_, i) => (steps.length - 1 - i) % stride === 0);
}
