import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { LOCK } from '../../src/checkpoint/lock-file.ts';
import { lockRun, refuseLocked } from '../../src/checkpoint/run-lock.ts';
import { thisOwner } from '../../src/checkpoint/run-owner.ts';
import { InputError, TrainingError } from '../../src/errors.ts';
import { laterBy } from '../helpers/clock.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const TAKER = fileURLToPath(new URL('./lock-taker.js', import.meta.url));

type Taker = ChildProcessByStdio<Writable, Readable, null>;

/** A process that is about to take the lock of `folder`. */
async function startTaker(t: ExecutionContext, folder: string): Promise<Taker> {
  const child = spawn(process.execPath, [TAKER, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  child.stdout.setEncoding('utf8');
  t.is(await nextLine(child), 'ready');
  return child;
}

async function nextLine({ stdout }: Taker): Promise<string> {
  const [line] = await once(stdout, 'data');
  return String(line).trim();
}

/** Lets the process take the lock; what it says. */
function take(child: Taker): Promise<string> {
  const answer = nextLine(child);
  child.stdin.write('now\n');
  return answer;
}

async function end(child: Taker, how: 'SIGKILL' | 'input'): Promise<void> {
  const closed = once(child, 'close');
  if (how === 'SIGKILL') child.kill('SIGKILL');
  else child.stdin.end();
  await closed;
}

const filesOf = (folder: string) => readdirSync(folder).sort();

function refused(t: ExecutionContext, folder: string, message: RegExp): void {
  const before = filesOf(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  for (const ask of [lockRun, refuseLocked]) {
    t.throws(() => ask(folder), { instanceOf: InputError, message });
  }
  t.deepEqual(
    filesOf(folder).map((name) => readFileSync(join(folder, name), 'utf8')),
    before,
  );
}

/** The lock can be taken, and then nothing else is left of it. */
function taken(t: ExecutionContext, folder: string): void {
  t.notThrows(() => refuseLocked(folder));
  const lock = lockRun(folder);
  t.deepEqual(filesOf(folder), [LOCK]);
  t.is(JSON.parse(readFileSync(join(folder, LOCK), 'utf8')).pid, process.pid);
  lock.release();
  t.deepEqual(filesOf(folder), []);
}

test('one process holds a folder until it releases it', (t) => {
  const folder = temporaryFolder(t);
  const lock = lockRun(folder);
  refused(
    t,
    folder,
    new RegExp(
      `^Expected the run folder ".*" to be free, but process ${process.pid} is writing to it\\. Wait for it, or stop it\\.$`,
    ),
  );
  lock.release();
  lock.release();
  taken(t, folder);
});

test.serial('any number of locks take one listener, and none once they are released', (t) => {
  const before = process.listenerCount('exit');
  const locks = Array.from({ length: 20 }, () => lockRun(temporaryFolder(t)));
  t.is(process.listenerCount('exit'), before + 1);
  for (const lock of locks) lock.release();
  t.is(process.listenerCount('exit'), before);
});

test('the lock of another process holds while it lives, and is taken over when it was killed', async (t) => {
  const folder = temporaryFolder(t);
  const child = await startTaker(t, folder);
  t.is(await take(child), 'won');
  refused(t, folder, new RegExp(`process ${child.pid} is writing to it`));
  await end(child, 'SIGKILL');
  t.deepEqual(filesOf(folder), [LOCK]);
  taken(t, folder);
});

test('a process that ends releases its lock', async (t) => {
  const folder = temporaryFolder(t);
  const child = await startTaker(t, folder);
  t.is(await take(child), 'won');
  await end(child, 'input');
  t.deepEqual(filesOf(folder), []);
});

test('of many processes that race for the lock of a dead one, exactly one wins', async (t) => {
  const folder = temporaryFolder(t);
  for (let round = 0; round < 6; round++) {
    const racers = await Promise.all(Array.from({ length: 6 }, () => startTaker(t, folder)));
    const answers = await Promise.all(racers.map((racer) => take(racer)));
    const winners = racers.filter((_, i) => answers[i] === 'won');
    t.is(winners.length, 1, answers.join('\n'));
    for (const answer of answers) t.regex(answer, /^won$|to be free, but/);
    t.deepEqual(filesOf(folder), [LOCK]);
    t.is(JSON.parse(readFileSync(join(folder, LOCK), 'utf8')).pid, winners[0].pid);
    // The next round finds the lock of a dead process.
    await Promise.all(
      racers.map((racer) => end(racer, racer === winners[0] ? 'SIGKILL' : 'input')),
    );
  }
});

/** An owner that is not there any more: this process's number, which another one had before. */
const dead = () => ({ ...thisOwner(), began: '1' });
const elsewhere = () => ({ ...thisOwner(), host: 'elsewhere', processes: 'other/pid:[1]' });
const write = (folder: string, owner: object, name = LOCK) =>
  writeFileSync(join(folder, name), JSON.stringify(owner));

/** The fields of a process's state from the third on. */
const stateOf = (pid: string) =>
  readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');

/** As if nobody had touched the lock for ten minutes. */
function silence(folder: string): void {
  const then = Date.now() / 1000 - 600;
  utimesSync(join(folder, LOCK), then, then);
}

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux(
  'a lock whose process has another beginning is of a dead one: its number was used again',
  (t) => {
    const folder = temporaryFolder(t);
    write(folder, dead());
    taken(t, folder);
  },
);

onLinux('a process that has ended is dead even while its parent does not look at it', async (t) => {
  const folder = temporaryFolder(t);
  // The shell becomes a program that never asks for its child's end.
  const shell = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 601']);
  t.teardown(() => shell.kill('SIGKILL'));
  const pid = String((await once(shell.stdout, 'data'))[0]).trim();
  while (readFileSync(`/proc/${shell.pid}/comm`, 'utf8') !== 'sleep\n') await setImmediate();
  process.kill(Number(pid), 'SIGKILL');
  while (stateOf(pid)[0] !== 'Z') await setImmediate();
  write(folder, { ...thisOwner(), pid: Number(pid), began: stateOf(pid)[19] });
  taken(t, folder);
});

test('a lock of a number that no process has is taken over', (t) => {
  const folder = temporaryFolder(t);
  write(folder, { ...thisOwner(), pid: 2 ** 31 - 2 });
  taken(t, folder);
});

onLinux('a process that died while it took over leaves nothing in the way', (t) => {
  const folder = temporaryFolder(t);
  const owners = [dead(), dead(), dead()];
  write(folder, owners[0]);
  write(folder, owners[1], `${LOCK}.${owners[0].token}`);
  write(folder, owners[2], `${LOCK}.${owners[1].token}`);
  taken(t, folder);
});

onLinux('while a living process takes over a lock, the others are refused', (t) => {
  const folder = temporaryFolder(t);
  const owner = dead();
  write(folder, owner);
  write(folder, thisOwner(), `${LOCK}.${owner.token}`);
  t.throws(() => lockRun(folder), { instanceOf: InputError, message: /is writing to it/ });
  t.is(filesOf(folder).length, 2);
});

test('an owner on another host holds while it touches its lock, and two minutes longer', (t) => {
  const folder = temporaryFolder(t);
  write(folder, elsewhere());
  refused(
    t,
    folder,
    /but process \d+ on host "elsewhere" was writing to it \d+ s ago\. Stop it; if it is dead, wait until 120 s/,
  );
  silence(folder);
  taken(t, folder);
});

for (const [name, text] of Object.entries({
  empty: '',
  'cut off': '{"pid":1',
  'of something else': '{"pid":"1"}',
  'too long': ' '.repeat(10_000),
})) {
  test(`a lock that is ${name} holds as long: it may just be written`, (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, LOCK), text);
    refused(t, folder, /but another process was writing to it \d+ s ago/);
    silence(folder);
    taken(t, folder);
  });
}

test('the owner touches its lock', async (t) => {
  const folder = temporaryFolder(t);
  const watcher = watch(folder);
  t.teardown(() => watcher.close());
  const lock = lockRun(folder, 1);
  silence(folder);
  const touched = () => Date.now() - statSync(join(folder, LOCK)).mtimeMs < 300_000;
  while (!touched()) await once(watcher, 'change');
  lock.release();
  t.deepEqual(filesOf(folder), []);
});

test.serial(
  'silence is measured by the clock of the file system, not by that of this machine',
  (t) => {
    const folder = temporaryFolder(t);
    write(folder, elsewhere());
    laterBy(t, 600_000);
    t.throws(() => lockRun(folder), {
      instanceOf: InputError,
      message: /was writing to it 0 s ago/,
    });
  },
);

test('an owner whose lock was taken over, or removed, hears of it and leaves it alone', (t) => {
  const folder = temporaryFolder(t);
  const lock = lockRun(folder, 0);
  t.notThrows(() => lock.check());
  const thief = elsewhere();
  write(folder, thief);
  t.throws(() => lock.check(), {
    instanceOf: TrainingError,
    message: /to stay this process's, but process \d+ on host "elsewhere" has taken it over\./,
  });
  rmSync(join(folder, LOCK));
  t.throws(() => lock.check(), { instanceOf: TrainingError, message: /its run\.lock is gone/ });
  write(folder, thief);
  lock.release();
  t.is(JSON.parse(readFileSync(join(folder, LOCK), 'utf8')).token, thief.token);
});

test('the file is looked at once a beat, and at once where its owner doubts', (t) => {
  const folder = temporaryFolder(t);
  const lock = lockRun(folder, 600_000);
  write(folder, elsewhere());
  t.notThrows(() => lock.check());
  lock.doubt();
  t.throws(() => lock.check(), { instanceOf: TrainingError });
  t.throws(() => lock.check(), { instanceOf: TrainingError });
  lock.release();
});

test('a link in place of a lock is not followed', (t) => {
  const folder = temporaryFolder(t);
  const other = join(temporaryFolder(t), 'other');
  symlinkSync(other, join(folder, LOCK));
  t.throws(() => lockRun(folder), { instanceOf: InputError, message: /another process was/ });
  t.throws(() => statSync(other), { code: 'ENOENT' });
});

test('a folder in place of a lock is refused, and nothing is left', (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, LOCK));
  silence(folder);
  t.throws(() => lockRun(folder), { instanceOf: InputError, message: /to be writable: E/ });
  t.deepEqual(filesOf(folder), [LOCK]);
});

test('a folder that is gone is refused', (t) => {
  const folder = join(temporaryFolder(t), 'gone');
  t.throws(() => lockRun(folder), { instanceOf: InputError, message: /to be writable: ENOENT/ });
});

test('a process killed as soon as its lock is seen leaves one that is taken over at once', async (t) => {
  for (let round = 0; round < 10; round++) {
    const folder = temporaryFolder(t);
    const taker = await startTaker(t, folder);
    const watcher = watch(folder);
    const seen = once(watcher, 'change');
    const closed = once(taker, 'close');
    taker.stdin.write('now\n');
    await seen;
    taker.kill('SIGKILL');
    await closed;
    watcher.close();
    t.notThrows(() => lockRun(folder).release(), `round ${round}`);
    t.deepEqual(
      filesOf(folder).filter((name) => name === LOCK),
      [],
    );
  }
});
