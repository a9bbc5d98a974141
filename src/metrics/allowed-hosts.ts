/**
 * Which values of the header Host are answered. A web page whose name was made to point to this machine (DNS rebinding)
 * shows its own name there, and must read nothing.
 */
import { isIP, isIPv4 } from 'node:net';

export interface HostRules {
  /** `--metrics-host` as it was given. */
  host: string;
  /** The address that is listened on. */
  address: string;
  /** The machine's own name. */
  machine: string;
  /** More names, as they stand in the header without a port. */
  allowed: readonly string[];
}

/**
 * On a loopback address its names and addresses are answered. On any other one, for that is asked for to be reached from
 * elsewhere, also every address (a page cannot take on an address) and the machine's own name.
 */
export function hostCheck({ host, address, machine, allowed }: HostRules) {
  const open = !isLoopback(address);
  const names = new Set([host, ...allowed, ...(open ? [machine] : [])].map(plain));
  return (header: string | undefined): boolean => {
    const name = nameOf(header);
    if (name === undefined) return false;
    return isLoopback(name) || names.has(name) || (open && isIP(name) > 0);
  };
}

/** The name or address of a Host header, without port; undefined where it is none. */
function nameOf(header: string | undefined): string | undefined {
  const [, name] = /^(\[[^[\]]+\]|[^:[\]]+)(?::\d{0,5})?$/.exec(header ?? '') ?? [];
  return name === undefined ? undefined : plain(name);
}

/** In small letters, without the brackets of an IPv6 address and the dot that may end a name. */
function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}
