/** Clients that are slow, silent, impatient or hostile, against a server in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { parseSeries } from './scrape.ts';

const SERVED = fileURLToPath(new URL('./served.js', import.meta.url));
const host = '127.0.0.1';
const HALF = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n';
const WHOLE = `${HALF}\r\n`;
const MIB = 2 ** 20;

async function serve(t: ExecutionContext) {
  const child = spawn(process.execPath, [SERVED], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const line = async () => String((await once(child.stdout, 'data'))[0]).trim();
  const port = Number(await line());
  const residentBytes = async () => {
    child.stdin.write('\n');
    return Number(await line());
  };
  /** What is done meanwhile reaches the server at one time. */
  const heldUp = async (work: () => void) => {
    child.kill('SIGSTOP');
    work();
    await setImmediate();
    child.kill('SIGCONT');
  };
  const open = async (data: string): Promise<Socket> => {
    const socket = connect(port, host).on('error', () => {});
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    if (data) socket.write(data);
    return socket;
  };
  const scrape = async () => {
    const response = await fetch(`http://${host}:${port}/metrics`);
    t.is(response.status, 200);
    t.is(parseSeries(await response.text()).get('threadloom_steps_total'), 1);
  };
  return { port, open, scrape, residentBytes, heldUp };
}

/** All that comes until the connection ends, reset or not. */
async function answerOf(socket: Socket): Promise<string> {
  let answer = '';
  socket.setEncoding('latin1').on('data', (data) => {
    answer += data;
  });
  await closed(socket);
  return answer;
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

const repeat = <Result>(times: number, work: () => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: times }, work));

test('among 400 idle and 400 half asked connections a scrape is answered at once', async (t) => {
  const { open, scrape } = await serve(t);
  const idle = await repeat(400, () => open(''));
  await scrape();
  await repeat(400, () => open(HALF));
  await scrape();
  await scrape();
  // Those that waited longest had to go.
  await Promise.all(idle.slice(0, 280).map((socket) => closed(socket.resume())));
});

test('a connection that asks is kept before those that only wait', async (t) => {
  const { open, scrape } = await serve(t);
  const asking = await open(WHOLE);
  await once(asking, 'data');
  const waiting = await repeat(511, () => open(HALF));
  asking.write(WHOLE);
  await once(asking, 'data');
  await open('');
  await closed(waiting[0].resume());
  t.false(asking.closed);
  await scrape();
});

test('a half request is answered with 408 and ended', async (t) => {
  const { open, scrape } = await serve(t);
  const socket = await open(HALF);
  t.regex(await answerOf(socket), /^HTTP\/1\.1 408 /);
  await scrape();
});

test('headers without end are answered with 431 and ended, in bounded memory', async (t) => {
  const { open, scrape, residentBytes } = await serve(t);
  await scrape();
  const before = await residentBytes();
  const line = `X-Long: ${'x'.repeat(1000)}\r\n`;
  const answers = await repeat(200, async () => answerOf(await open(HALF + line.repeat(200))));
  for (const answer of answers) t.regex(answer, /^(HTTP\/1\.1 431 .*)?/);
  t.true(answers.some((answer) => answer.startsWith('HTTP/1.1 431 ')));
  await scrape();
  t.true((await residentBytes()) - before < 64 * MIB);
});

test('scrapes that are aborted leave nothing', async (t) => {
  const { open, scrape, residentBytes } = await serve(t);
  await scrape();
  const before = await residentBytes();
  for (let round = 0; round < 10; round++) {
    const sockets = await repeat(100, () => open(WHOLE));
    for (const socket of sockets) socket.destroy();
    await scrape();
  }
  t.true((await residentBytes()) - before < 64 * MIB);
});

test('clients that ask again and again without reading are cut off, in bounded memory', async (t) => {
  const { open, scrape, residentBytes, heldUp } = await serve(t);
  await scrape();
  const before = await residentBytes();
  for (let round = 0; round < 3; round++) {
    const sockets = await repeat(200, () => open(''));
    // All of it waits for the server at once.
    await heldUp(() => {
      for (const socket of sockets)
        socket.write('GET /a HTTP/1.1\r\nHost:a\r\n\r\n'.repeat(20_000));
    });
    for (const socket of sockets) {
      t.true((await answerOf(socket)).split('HTTP/1.1 ').length <= 2);
    }
  }
  await scrape();
  t.true((await residentBytes()) - before < 96 * MIB);
});

test('the body of a request is not waited for', async (t) => {
  const { open, scrape } = await serve(t);
  for (const header of ['Content-Length: 1000000', 'Transfer-Encoding: chunked']) {
    t.regex(await answerOf(await open(`${HALF}${header}\r\n\r\n5\r\nhello`)), /^HTTP\/1\.1 200 OK/);
  }
  await scrape();
});

for (const [name, bytes] of Object.entries({
  'a TLS greeting': '\x16\x03\x01\x02\x00\x01',
  'a line without end': 'x'.repeat(10_000),
  'another protocol': 'SSH-2.0-x\r\n\r\n',
  'zero bytes': '\0'.repeat(100),
  'two lengths': `${HALF}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
  'a method that is none': 'METRICS / HTTP/1.1\r\n\r\n',
})) {
  test(`${name} in place of a request is refused and ended`, async (t) => {
    const { open, scrape } = await serve(t);
    t.regex(await answerOf(await open(bytes)), /^HTTP\/1\.1 400 Bad Request\r\n/);
    await scrape();
  });
}
