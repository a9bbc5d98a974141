/** Numbers and times as a person reads them. Pure. */

/** 1234567 → "1,234,567" */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** 3725 → "1h 02m", 65 → "1m 05s", 6.3 → "6s" */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const two = (value: number) => String(value).padStart(2, '0');
  if (hours > 0) return `${hours}h ${two(minutes)}m`;
  return minutes > 0 ? `${minutes}m ${two(whole % 60)}s` : `${whole}s`;
}

/** Four significant digits: 0.012345 → "0.01235", 1234.5 → "1,235", 0.0000123 → "1.23e-5" */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1e7 || (size > 0 && size < 1e-4)) return shortExponent(value.toExponential(2));
  if (size >= 1000) return formatCount(value);
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}

/** For an axis, where room is scarce: 1500 → "1.5k", 0.00001 → "1e-5" */
export function formatTick(value: number): string {
  const size = Math.abs(value);
  if (size > 0 && size < 1e-4) return shortExponent(value.toExponential());
  return new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 4 })
    .format(value)
    .replace('K', 'k');
}

/** 0.934 → "93%", 0.0042 → "0.42%" */
export function formatShare(share: number): string {
  const percent = share * 100;
  return `${percent >= 10 || percent === 0 ? percent.toFixed(0) : percent.toPrecision(2)}%`;
}

/** The time of a phase, in the unit that suits: 0.0123 → "12.3 ms" */
export function formatSeconds(seconds: number): string {
  if (seconds >= 1) return `${threeDigits(seconds)} s`;
  if (seconds >= 1e-3) return `${threeDigits(seconds * 1e3)} ms`;
  return `${(seconds * 1e6).toFixed(0)} µs`;
}

/** Or more, where there are more before the point. */
function threeDigits(value: number): string {
  return value < 100 ? value.toPrecision(3) : value.toFixed(0);
}

function shortExponent(text: string): string {
  return text.replace(/\.?0+e/, 'e').replace('e+', 'e');
}
