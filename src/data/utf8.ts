/** Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. Pure. */

/** One above the largest code point. */
export const CODE_POINTS = 0x110000;

/** What `decodeSequence` returns for bytes that begin no character. */
export const INVALID = -1;
/** What it returns for the first bytes of a character whose others lie behind `end`. */
export const CUT = -2;

/** The code point that begins at bytes[at], of which bytes[at, end) are there; or INVALID, or CUT. */
export function decodeSequence(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return lead;
  // 0x80…0xC1 are continuations and overlong two-byte forms, above 0xF4 lies beyond U+10FFFF.
  if (lead < 0xc2 || lead > 0xf4) return INVALID;
  if (at + 1 >= end) return CUT;
  const second = bytes[at + 1];
  if ((second & 0xc0) !== 0x80) return INVALID;
  if (lead < 0xe0) return ((lead & 0x1f) << 6) | (second & 0x3f);
  if (lead === 0xe0 && second < 0xa0) return INVALID; // overlong
  if (lead === 0xed && second > 0x9f) return INVALID; // surrogate
  if (lead === 0xf0 && second < 0x90) return INVALID; // overlong
  if (lead === 0xf4 && second > 0x8f) return INVALID; // above U+10FFFF
  if (at + 2 >= end) return CUT;
  const third = bytes[at + 2];
  if ((third & 0xc0) !== 0x80) return INVALID;
  if (lead < 0xf0) return ((lead & 0x0f) << 12) | ((second & 0x3f) << 6) | (third & 0x3f);
  if (at + 3 >= end) return CUT;
  const fourth = bytes[at + 3];
  if ((fourth & 0xc0) !== 0x80) return INVALID;
  return ((lead & 0x07) << 18) | ((second & 0x3f) << 12) | ((third & 0x3f) << 6) | (fourth & 0x3f);
}

/** Bytes of a code point. */
export function encodedLength(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}

/** Bytes of the character that begins with `lead`, in text known to be valid. */
export function sequenceLength(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** A character as a message shows it: `"é" (U+00E9)`; only its name where it cannot be seen alone. */
export function describeCodePoint(codePoint: number): string {
  const name = `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
  const character = String.fromCodePoint(codePoint);
  return /[\p{C}\p{M}\p{Z}]/u.test(character) ? name : `${JSON.stringify(character)} (${name})`;
}
