/** One run whose process is killed again and again, and that must end as one that never was. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../src/config/config.ts';
import { inspect } from '../../src/recipes/inspect.ts';
import type { TrainResult } from '../../src/recipes/reports.ts';
import { train } from '../../src/recipes/train.ts';
import { logsOf, TINY_SETTINGS } from '../helpers/runs.ts';
import { writeText } from '../helpers/text.ts';
import { Draws } from './draws.ts';
import { brokenCheckpoints, losePower } from './power-loss.ts';
import { type Ending, isTemporary, type Moment, runVictim } from './victim.ts';

export interface KillReport {
  kills: number;
  /** What was not as in a run never stopped; each begins with the seed. */
  mismatches: string[];
}

/**
 * Draws a small run from `seed`, kills it several times with SIGKILL, each time loses what a power cut would, resumes on
 * another number of workers, and compares the end with a run that was never stopped.
 */
export async function killAndResume(seed: number): Promise<KillReport> {
  const folder = mkdtempSync(join(tmpdir(), 'threadloom-'));
  try {
    return await new Torture(seed, folder).run();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

class Torture {
  readonly #draws: Draws;
  readonly #folder: string;
  readonly #seed: number;
  readonly #settings: Settings;
  readonly #text: string;
  readonly #fromInput: boolean;
  readonly #path: string;
  readonly #mismatches: string[] = [];
  #kills = 0;

  constructor(seed: number, folder: string) {
    this.#seed = seed;
    this.#folder = folder;
    this.#draws = new Draws(seed);
    this.#settings = drawSettings(this.#draws);
    this.#text = writeText(folder);
    this.#fromInput = this.#draws.chance(0.25);
    this.#path = join(folder, 'r');
  }

  async run(): Promise<KillReport> {
    const files = [this.#text];
    const run = join(this.#folder, 'whole');
    const whole = await train({ ...TINY_SETTINGS, ...this.#settings, files, run });
    const times = this.#draws.between(2, 4);
    let ending = await this.#train(this.#earlyMoment(whole));
    for (let i = 0; i < times || ending.killed; i++) {
      if (ending.killed) this.#afterKill();
      ending = await this.#goOn(i + 1 < times ? this.#moment(whole) : undefined);
    }
    this.#compare(ending, whole);
    return { kills: this.#kills, mismatches: this.#mismatches };
  }

  #afterKill(): void {
    this.#kills++;
    if (this.#draws.chance(0.7)) losePower(this.#path, this.#draws);
  }

  #train(moment?: Moment, ...more: string[]): Promise<Ending> {
    const { steps, ...others } = { ...TINY_SETTINGS, ...this.#settings, workers: this.#workers() };
    const flags = Object.entries({ ...others, steps }).flatMap(([name, value]) => {
      const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      return value === false ? [`--no-${flag}`] : [`--${flag}`, String(value)];
    });
    const input = this.#fromInput ? readFileSync(this.#text) : undefined;
    const args = ['train', input ? '-' : this.#text, ...flags, '--run', this.#path, '--json'];
    return runVictim([...args, ...more], this.#path, moment, input);
  }

  /** Resumes, or does what resuming says is to be done. */
  async #goOn(moment?: Moment): Promise<Ending> {
    const workers = ['--workers', String(this.#workers())];
    const resume = ['resume', this.#path, ...workers, '--json'];
    const broken = brokenCheckpoints(this.#path);
    const ending = await runVictim(resume, this.#path, moment);
    if (ending.killed) return ending;
    if (/ Expected a run folder \(with a config\.json\)/.test(ending.stderr)) {
      return this.#train(moment);
    }
    const again = / Start it again: threadloom (.+)\n$/.exec(ending.stderr)?.[1];
    if (again) return this.#startAgain(again, moment);
    for (const name of broken) {
      this.#check(ending.stderr.includes(name), `${name} was passed over without a word`);
    }
    return ending;
  }

  async #startAgain(command: string, moment?: Moment): Promise<Ending> {
    const ending = await runVictim([...command.split(' '), '--json'], this.#path, moment);
    // Its input may be what was lost.
    const lost = this.#fromInput && /stdin\.txt"\. There is no such file/.test(ending.stderr);
    return lost ? this.#train(moment, '--force') : ending;
  }

  /** In the first process, also before there is anything to resume. */
  #earlyMoment(whole: TrainResult): Moment {
    if (this.#draws.chance(0.6)) return this.#moment(whole);
    const name = /./;
    return this.#draws.one<Moment>([
      { where: '..', name: /^\.?r/, times: 1 },
      { where: '.', name, times: this.#draws.between(1, 4) },
      { where: 'checkpoints', name, times: 1 },
    ]);
  }

  #moment(whole: TrainResult): Moment {
    if (this.#draws.chance(0.5)) {
      const log = this.#draws.one(['steps', 'evals', 'timings'] as const);
      const { size } = statSync(join(whole.run, `${log}.ndjson`));
      return { log, bytes: this.#draws.between(1, size) };
    }
    const name = this.#draws.one([/\.ckpt\.tmp$/, /^step-\d+\.ckpt$/, /^best\.ckpt/, /./]);
    return { where: 'checkpoints', name, times: this.#draws.between(1, 12) };
  }

  #workers(): number {
    return this.#draws.between(1, 3);
  }

  #compare(ending: Ending, whole: TrainResult): void {
    this.#check(ending.code === 0, `exit code ${ending.code}: ${ending.stderr}`);
    if (ending.code !== 0) return;
    const result: TrainResult = JSON.parse(ending.stdout);
    for (const name of [
      'paramsSha256',
      'steps',
      'trainLoss',
      'evalLoss',
      'bestEvalLoss',
    ] as const) {
      this.#check(result[name] === whole[name], `${name} ${result[name]}, expected ${whole[name]}`);
    }
    const logs = logsOf(this.#path);
    const expected = logsOf(whole.run);
    for (const name of ['steps', 'evals', 'gradients'] as const) {
      this.#check(logs[name] === expected[name], `${name}.ndjson differs`);
    }
    this.#check(bestOf(this.#path) === bestOf(whole.run), `best.ckpt is ${bestOf(this.#path)}`);
    for (const path of readdirSync(this.#folder, { recursive: true, encoding: 'utf8' })) {
      this.#check(!isTemporary(path, this.#path), `${path} is left over`);
    }
  }

  #check(holds: boolean, otherwise: string): void {
    if (!holds) this.#mismatches.push(`seed ${this.#seed}: ${otherwise}`);
  }
}

function drawSettings(draws: Draws): Settings {
  const optimizer = draws.one(['adam', 'adamw', 'sgd', 'rmsprop'] as const);
  return {
    cell: draws.one(['rnn', 'lstm', 'gru'] as const),
    layers: draws.between(1, 2),
    dropout: draws.one([0, 0.2]),
    tokens: draws.one(['char', 'byte'] as const),
    optimizer,
    ...(optimizer === 'sgd' && { momentum: 0.9 }),
    steps: draws.between(60, 200),
    evalEvery: draws.one([0, draws.between(7, 40)]),
    checkpointEvery: draws.between(3, 30),
    gradientsEvery: 7,
    keep: draws.between(2, 4),
    seed: draws.between(0, 1000),
  };
}

/** The best checkpoint's step and loss; undefined where there is none. */
function bestOf(run: string): string | undefined {
  const path = join(run, 'checkpoints', 'best.ckpt');
  if (!existsSync(path)) return undefined;
  const { step, bestEvalLoss } = inspect(path);
  return `of step ${step} with loss ${bestEvalLoss}`;
}
