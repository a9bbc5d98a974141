import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { openCheckpoint } from '../../src/checkpoint/reader.ts';
import { lockRun } from '../../src/checkpoint/run-lock.ts';
import { thisOwner } from '../../src/checkpoint/run-owner.ts';
import {
  checkpointName,
  listCheckpoints,
  removeTemporaryFiles,
  storeCheckpoint,
} from '../../src/checkpoint/store.ts';
import { TrainingError } from '../../src/errors.ts';
import { startActor } from '../../src/pool/actor.ts';
import type { CheckpointWriterApi } from '../../src/pool/actor-protocol.ts';
import { someLock } from '../helpers/lock.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { sampleState, sampleTensors } from './samples.ts';

const { arena, sources } = sampleTensors();

const elsewhere = mkdtempSync(join(tmpdir(), 'threadloom-'));
const { claim: lock, release } = lockRun(elsewhere);
test.after.always(() => {
  release();
  rmSync(elsewhere, { recursive: true });
});

function request(folder: string, step: number, options: { keep?: number; best?: boolean } = {}) {
  const { keep = 3, best = false } = options;
  return { folder, step, header: sampleState(step), tensors: sources, keep, best, lock };
}

const store = (...args: Parameters<typeof request>) => storeCheckpoint(request(...args), arena);

const stepsIn = (folder: string) => listCheckpoints(folder).map(({ step }) => step);

function stepOf(path: string): number {
  const file = openCheckpoint(path);
  file.close();
  return file.header.progress.step;
}

test('Names sort as steps do, up to any step', (t) => {
  t.is(checkpointName(1200), 'step-00001200.ckpt');
  t.is(checkpointName(123_456_789), 'step-123456789.ckpt');
  const folder = temporaryFolder(t);
  for (const step of [99_999_999, 100_000_000, 0])
    writeFileSync(join(folder, checkpointName(step)), '');
  for (const name of ['best.ckpt', 'step-1.ckpt', 'step-00000007.ckpt.tmp', 'notes.txt']) {
    writeFileSync(join(folder, name), '');
  }
  t.deepEqual(stepsIn(folder), [100_000_000, 99_999_999, 0]);
});

test('The newest checkpoints are kept, and the best beside them', (t) => {
  const folder = join(temporaryFolder(t), 'new', 'checkpoints');
  store(folder, 1, { keep: 2, best: true });
  store(folder, 2, { keep: 2 });
  store(folder, 3, { keep: 2 });
  const result = store(folder, 4, { keep: 2 });
  t.deepEqual(readdirSync(folder).sort(), ['best.ckpt', checkpointName(3), checkpointName(4)]);
  t.is(stepOf(join(folder, 'best.ckpt')), 1);
  t.is(result.path, join(folder, checkpointName(4)));
  t.is(result.bytes, statSync(result.path).size);
  t.true(result.seconds > 0);
});

test('Folders with the names of checkpoints are none, and stay', (t) => {
  const folder = temporaryFolder(t);
  for (const step of [1, 9]) mkdirSync(join(folder, checkpointName(step)));
  for (const step of [2, 3]) store(folder, step, { keep: 1 });
  t.deepEqual(stepsIn(folder), [3]);
  t.deepEqual(readdirSync(folder).sort(), [1, 3, 9].map(checkpointName));
});

test('A better checkpoint replaces the best, also at the same step', (t) => {
  const folder = temporaryFolder(t);
  for (const step of [1, 2, 2]) {
    store(folder, step, { best: true });
    t.is(stepOf(join(folder, 'best.ckpt')), step);
  }
  t.deepEqual(readdirSync(folder).sort(), ['best.ckpt', checkpointName(1), checkpointName(2)]);
});

test('Checkpoints of later steps go: the run went back behind them', (t) => {
  const folder = temporaryFolder(t);
  for (const step of [10, 20, 30]) store(folder, step);
  store(folder, 15, { keep: 1 });
  t.deepEqual(stepsIn(folder), [15]);
});

test('Temporary files of a killed process are removed, other files stay', (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['step-00000001.ckpt.tmp', 'best.ckpt.tmp', 'notes.txt']) {
    writeFileSync(join(folder, name), 'x');
  }
  removeTemporaryFiles(folder);
  t.deepEqual(readdirSync(folder), ['notes.txt']);
});

test('Temporary files of a thread of this process that died are removed, those of another stay', (t) => {
  const folder = temporaryFolder(t);
  const theirs = `step-00000001.${thisOwner().token}.ckpt.tmp`;
  for (const name of [theirs, `step-00000001.${lock.owner.token}.ckpt.tmp`]) {
    writeFileSync(join(folder, name), 'x');
  }
  store(folder, 2);
  t.deepEqual(readdirSync(folder), [theirs, checkpointName(2)]);
});

function failing(t: ExecutionContext, folder: string, step: number): TrainingError {
  return t.throws(() => store(folder, step), { instanceOf: TrainingError });
}

test('A checkpoint that cannot get its name leaves the earlier ones and no temporary file', (t) => {
  const folder = temporaryFolder(t);
  store(folder, 1);
  const before = readFileSync(join(folder, checkpointName(1)));
  mkdirSync(join(folder, checkpointName(2)));
  const error = failing(t, folder, 2);
  t.regex(
    error.message,
    /^Could not write checkpoint ".*step-00000002.ckpt": .*Earlier .* stay valid\.$/,
  );
  t.is(error.place.step, 2);
  t.deepEqual(readFileSync(join(folder, checkpointName(1))), before);
  t.deepEqual(readdirSync(folder).sort(), [checkpointName(1), checkpointName(2)]);
});

test('A checkpoint that cannot become the best, which its state names, does not appear', (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'best.ckpt'));
  t.throws(() => store(folder, 1, { best: true }), { instanceOf: TrainingError });
  t.deepEqual(readdirSync(folder), ['best.ckpt']);
});

test('A folder that cannot be made is a failure of the run, not a crash', (t) => {
  const path = join(temporaryFolder(t), 'file');
  writeFileSync(path, '');
  t.regex(failing(t, join(path, 'checkpoints'), 1).message, /ENOTDIR/);
});

const asUser = process.getuid?.() ? test : test.skip;
asUser('A folder that may not be written is a failure, and its checkpoints stay', (t) => {
  const folder = temporaryFolder(t);
  store(folder, 1);
  chmodSync(folder, 0o500);
  t.teardown(() => chmodSync(folder, 0o700));
  t.regex(failing(t, folder, 2).message, /EACCES/);
  t.deepEqual(stepsIn(folder), [1]);
});

const onPosix = process.platform === 'win32' ? test.skip : test;
onPosix(
  'A disk that takes no more leaves the earlier checkpoints, and the next one succeeds',
  (t) => {
    const run = temporaryFolder(t);
    const folder = join(run, 'checkpoints');
    const program = fileURLToPath(new URL('./limited-writer.js', import.meta.url));
    // No file may be longer than 128 or 256 KiB: a block has 512 or 1024 bytes, as the shell likes.
    const script = 'ulimit -f 256; exec "$0" "$1" "$2"';
    const output = execFileSync('sh', ['-c', script, process.execPath, program, run]);
    const { errors, files } = JSON.parse(output.toString());
    t.is(errors.length, 1);
    t.regex(errors[0], /step-00000002.*EFBIG.*Earlier checkpoints stay valid/);
    t.deepEqual(files, [checkpointName(1), checkpointName(3)]);
    t.is(stepOf(join(folder, checkpointName(1))), 1);
    t.is(stepOf(join(folder, checkpointName(3))), 3);
  },
);

/** A run with a checkpoint, and what another process that takes it over does meanwhile: it is about to write one too. */
function contestedRun(t: ExecutionContext) {
  const folder = temporaryFolder(t);
  const ours = someLock(t);
  const begin = (step: number) => ({
    ...request(folder, step, { keep: 1, best: true }),
    lock: ours,
  });
  storeCheckpoint(begin(1), arena);
  const theirs = thisOwner();
  const theirFiles = ['best', 'step-00000002', 'step-00000003'].map(
    (name) => `${name}.${theirs.token}.ckpt.tmp`,
  );
  const takeOver = () => {
    writeFileSync(ours.path, JSON.stringify({ ...theirs, host: 'elsewhere' }));
    for (const name of theirFiles) writeFileSync(join(folder, name), 'half');
  };
  const refused = (write: () => void) => {
    const best = readFileSync(join(folder, 'best.ckpt'));
    t.throws(write, {
      instanceOf: TrainingError,
      message: /process \d+ on host "elsewhere" has taken it over/,
    });
    const expected = ['best.ckpt', checkpointName(1), ...theirFiles];
    t.deepEqual(readdirSync(folder).sort(), expected.sort());
    t.deepEqual(readFileSync(join(folder, 'best.ckpt')), best);
  };
  return { begin, takeOver, refused };
}

test('A folder that another process took over before a checkpoint gets none', (t) => {
  const { begin, takeOver, refused } = contestedRun(t);
  takeOver();
  refused(() => storeCheckpoint(begin(2), arena));
});

test('A folder that another process took over while a checkpoint was written gets none', (t) => {
  const { begin, takeOver, refused } = contestedRun(t);
  // The place of a tensor is asked for when it is written.
  const tensors = sources.map((source, i) => ({
    ...source,
    get offset() {
      if (i === 1) takeOver();
      return source.offset;
    },
  }));
  refused(() => storeCheckpoint({ ...begin(2), tensors }, arena));
});

test('A state that is wrong is refused before a folder is made', (t) => {
  const folder = join(temporaryFolder(t), 'checkpoints');
  t.throws(() => storeCheckpoint({ ...request(folder, 1), header: { surplus: 1 } }, arena), {
    message: /header is wrong/,
  });
  t.throws(() => statSync(folder), { message: /ENOENT/ });
});

test('The writer thread writes from shared memory and reports failures as they are', async (t) => {
  const folder = temporaryFolder(t);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  new Uint8Array(memory.buffer).set(new Uint8Array(arena));
  const entry = new URL('../../workers/checkpoint-worker.js', import.meta.url);
  const actor = startActor<CheckpointWriterApi>('checkpoint writer', entry, {
    workerData: { memory },
  });
  t.teardown(() => actor.terminate());
  const { path } = await actor.calls.write(request(folder, 5));
  t.deepEqual(readFileSync(path), readFileSync(store(temporaryFolder(t), 5).path));

  rmSync(folder, { recursive: true });
  writeFileSync(folder, '');
  const failure = actor.calls.write(request(folder, 6));
  const error = await t.throwsAsync(failure, { instanceOf: TrainingError });
  t.regex(error.message, /Could not write checkpoint/);
});
