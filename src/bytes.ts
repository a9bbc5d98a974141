/** Sizes as a person reads them. Pure. */

/** 1536 → "1.50 KiB" */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  if (power === 0) return `${value} B`;
  return `${value < 100 ? value.toPrecision(3) : value.toFixed(0)} ${units[power]}`;
}
