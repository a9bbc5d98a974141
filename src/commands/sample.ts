/** `threadloom sample` */
import type { Argv, CommandModule } from 'yargs';
import { type SampleSettings, sampleSettings } from '../config/model-use-settings.ts';
import { EXIT_CODES } from '../errors.ts';
import { type SampleResult, sample } from '../recipes/sample.ts';
import { withInterruption } from './interruption.ts';
import { printJson, warn } from './output.ts';
import { flagsOf, OUTPUT_FLAGS, refuseUnknownFlags, settingsFromFlags } from './settings.ts';

interface SampleFlags {
  run: string;
  json?: boolean;
}

const OPTIONS = { ...flagsOf(sampleSettings), json: OUTPUT_FLAGS.json };

export function sampleCommand(
  finish: (exitCode: number) => void,
): CommandModule<object, SampleFlags> {
  return {
    command: 'sample <run>',
    describe: 'draw text from a trained model',
    builder: (yargs) =>
      yargs
        .positional('run', {
          type: 'string',
          demandOption: true,
          describe: 'folder of a run (its newest checkpoint), or a checkpoint',
        })
        .options(OPTIONS)
        .example('$0 sample runs/mine --prompt "ROMEO:" --length 1000', 'go on from a prompt')
        .example(
          '$0 sample runs/mine/checkpoints/best.ckpt --temperature 0.5 --top-k 10',
          'surer text of the best checkpoint',
        ) as Argv<SampleFlags>,
    async handler(argv) {
      refuseUnknownFlags(argv, OPTIONS, ['run']);
      finish(await showSample(argv, settingsFromFlags(sampleSettings, argv) as SampleSettings));
    },
  };
}

/** One text is written as it is drawn; several come one after another, each behind a heading. */
async function showSample({ run, json }: SampleFlags, settings: SampleSettings): Promise<number> {
  const streams = !json && (settings.count ?? 1) === 1;
  let interrupted = false;
  const result = await withInterruption('Stopping.', (signal) => {
    signal.addEventListener('abort', () => {
      interrupted = true;
    });
    return sample(run, settings, {
      signal,
      onText: streams ? (text) => process.stdout.write(text) : undefined,
      onWarning: warn,
    });
  });
  if (json) printJson(result);
  else process.stdout.write(streams ? '\n' : formatTexts(result));
  return interrupted ? EXIT_CODES.interrupted : EXIT_CODES.done;
}

function formatTexts({ texts }: SampleResult): string {
  return texts.map((text, i) => `--- ${i + 1} of ${texts.length} ---\n${text}\n`).join('');
}
