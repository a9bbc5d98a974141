/**
 * What may stand in a checkpoint's header before msgpackr sees it: MessagePack's nil, booleans, numbers,
 * strings, arrays and maps with string keys. Extensions could make msgpackr build regular expressions,
 * cycles or code from a hostile file. Pure. Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */

const MAX_DEPTH = 32;
/** A vocabulary of all code points, and as much again as the rest of any header. */
const MAX_VALUES = 0x110000 + 200_000;

/**
 * Throws an Error with the reason unless `bytes` are exactly one such value, nested at most 32 deep and of at most so many
 * values as a header may need: a byte can become an object of a hundred.
 */
export function requirePlain(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Values still to come, innermost container last; in maps, keys and values alternate. */
  const open: { left: number; map: boolean }[] = [{ left: 1, map: false }];
  let at = 0;
  let values = 0;
  for (let container = open.at(-1); container; container = open.at(-1)) {
    if (container.left === 0) {
      open.pop();
      continue;
    }
    const isKey = container.map && container.left % 2 === 0;
    container.left--;
    if (++values > MAX_VALUES) throw new Error('it has too many values');
    if (at >= bytes.length) throw new Error('it ends early');
    const token = readToken(view, at);
    if (isKey && token.kind !== 'string') throw new Error(`a key at byte ${at} is no text`);
    at += token.bytes;
    if (at > bytes.length) throw new Error('it ends early');
    if (token.kind === 'array' || token.kind === 'map') {
      if (open.length > MAX_DEPTH) throw new Error('it is nested too deep');
      const isMap = token.kind === 'map';
      open.push({ left: isMap ? token.items * 2 : token.items, map: isMap });
    }
  }
  if (at !== bytes.length) throw new Error('bytes follow its end');
}

interface Token {
  kind: 'scalar' | 'string' | 'array' | 'map';
  /** Bytes of the token, a string's text included. */
  bytes: number;
  /** Items of an array, pairs of a map. */
  items: number;
}

const SCALAR_BYTES: Readonly<Record<number, number>> = {
  192: 1, // nil
  194: 1, // false
  195: 1, // true
  202: 5, // float32
  203: 9, // float64
  204: 2, // uint8 …
  205: 3,
  206: 5,
  207: 9,
  208: 2, // int8 …
  209: 3,
  210: 5,
  211: 9,
};

function readToken(view: DataView, at: number): Token {
  const byte = view.getUint8(at);
  if (byte < 0x80 || byte >= 0xe0) return { kind: 'scalar', bytes: 1, items: 0 };
  if (byte < 0x90) return { kind: 'map', bytes: 1, items: byte & 0x0f };
  if (byte < 0xa0) return { kind: 'array', bytes: 1, items: byte & 0x0f };
  if (byte < 0xc0) return { kind: 'string', bytes: 1 + (byte & 0x1f), items: 0 };
  const scalar = SCALAR_BYTES[byte];
  if (scalar) return { kind: 'scalar', bytes: scalar, items: 0 };
  switch (byte) {
    case 0xd9:
      return { kind: 'string', bytes: 2 + readLength(view, at, 1), items: 0 };
    case 0xda:
      return { kind: 'string', bytes: 3 + readLength(view, at, 2), items: 0 };
    case 0xdb:
      return { kind: 'string', bytes: 5 + readLength(view, at, 4), items: 0 };
    case 0xdc:
      return { kind: 'array', bytes: 3, items: readLength(view, at, 2) };
    case 0xdd:
      return { kind: 'array', bytes: 5, items: readLength(view, at, 4) };
    case 0xde:
      return { kind: 'map', bytes: 3, items: readLength(view, at, 2) };
    case 0xdf:
      return { kind: 'map', bytes: 5, items: readLength(view, at, 4) };
    default:
      throw new Error(`byte ${at} begins a value of a type that no checkpoint has`);
  }
}

/** The big-endian length of `width` bytes behind the token's first byte. */
function readLength(view: DataView, at: number, width: 1 | 2 | 4): number {
  if (at + width >= view.byteLength) throw new Error('it ends early');
  if (width === 1) return view.getUint8(at + 1);
  return width === 2 ? view.getUint16(at + 1) : view.getUint32(at + 1);
}
