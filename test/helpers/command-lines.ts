/** Run with command lines as JSON on standard input: does one after another in its folder, prints what came of each. */
import { main } from '../../src/commands/main.ts';
import type { CommandLine, Outcome } from './together.ts';

const outcomes: Outcome[] = [];
const output = { stdout: '', stderr: '' };
const print = process.stdout.write.bind(process.stdout);
for (const name of ['stdout', 'stderr'] as const) {
  process[name].setMaxListeners(0); // Each call of main adds one.
  process[name].write = (text: string | Uint8Array) => {
    output[name] += String(text);
    return true;
  };
}

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk);
for (const { args, cwd, env } of JSON.parse(Buffer.concat(chunks).toString()) as CommandLine[]) {
  Object.assign(output, { stdout: '', stderr: '' });
  Object.assign(process.env, env);
  process.chdir(cwd);
  const code = await main(args);
  const lines = output.stderr.split('\n').filter((line) => line !== '');
  outcomes.push({ code, ...output, lines });
  for (const name of Object.keys(env)) delete process.env[name];
}
print(JSON.stringify(outcomes));
