/** Who writes a run's folder: a process, as its lock file names it, and whether that process is still there. */
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { errorCode } from '../errors.ts';

const ownerSchema = z.object({
  pid: z.int().positive(),
  host: z.string().max(300),
  /** Where `pid` counts: the kernel and its process namespace; null where the system does not say. */
  processes: z.string().max(300).nullable(),
  /** When the process began, in the kernel's ticks: another process of the same number began later. */
  began: z.string().max(40).nullable(),
  /** Names this lock among all others. */
  token: z.string().regex(/^[0-9a-f-]{36}$/),
});
export type RunOwner = z.output<typeof ownerSchema>;

/** This process, with a new token. */
export function thisOwner(): RunOwner {
  const { pid } = process;
  return {
    pid,
    host: hostname(),
    processes: processNamespace(),
    began: beginningOf(pid),
    token: randomUUID(),
  };
}

/** Undefined where the text names no owner. */
export function parseOwner(text: string): RunOwner | undefined {
  try {
    return ownerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * Whether the owner's process is still there; undefined where it cannot be seen from here: it was on another machine, in
 * another container, before this machine was started anew, or is another user's and hidden.
 */
export function isAlive({ pid, host, processes, began }: RunOwner): boolean | undefined {
  const here = processNamespace();
  if (processes !== here || (here === null && host !== hostname())) return undefined;
  const seen = presenceOf(pid);
  if (seen === 'gone') return false;
  const beginning = beginningOf(pid);
  // /proc may hide the processes of others; on systems without it, the number may be that of another by now.
  if (began === null || (beginning === null && seen === 'of another user')) return undefined;
  return began === beginning;
}

function presenceOf(pid: number): 'here' | 'of another user' | 'gone' {
  try {
    process.kill(pid, 0); // Sends nothing.
    return 'here';
  } catch (error) {
    return errorCode(error) === 'EPERM' ? 'of another user' : 'gone';
  }
}

/** `kernel/namespace`: unique to this start of the machine, and to this container. */
function processNamespace(): string | null {
  return fromKernel(() => {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  });
}

/** Null for a process that is gone, or has ended and waits for its parent to look at it (states X and Z). */
function beginningOf(pid: number): string | null {
  return fromKernel(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // From field 3 on: the second one, the name in brackets, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return /^[XZ]/.test(fields[0]) ? null : fields[19];
  });
}

/** Null on systems without /proc. */
function fromKernel(read: () => string | null): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
