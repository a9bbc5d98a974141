/** Text drawn from a trained model. */
import { setImmediate } from 'node:timers/promises';
import { openTarget } from '../checkpoint/finder.ts';
import { type SampleSettings, sampleSettings } from '../config/model-use-settings.ts';
import { Vocabulary } from '../data/vocabulary.ts';
import { mixKey, uniform } from '../kernels/mix.ts';
import { chooseToken } from '../model/choice.ts';
import { Predictor } from './predictor.ts';

export interface SampleOptions {
  /** Ends the sampling; what was drawn so far is returned. */
  signal?: AbortSignal;
  /** Called with each new piece of the text number `index`, the prompt first. */
  onText?(text: string, index: number): void;
  onWarning?(message: string): void;
}

export interface SampleResult {
  checkpoint: string;
  /** Steps the model was trained for. */
  step: number;
  prompt: string;
  /** Each with its prompt. */
  texts: string[];
  /** Tokens drawn of each text. */
  length: number;
}

/** Keeps the keys of sampling apart from those of parameters and dropout. */
const KEY_TAG = 0x53414d50;
/** Tokens between two looks at the event loop. */
const BREATH_TOKENS = 16;

/**
 * Draws `count` texts of `length` tokens after the prompt from a run (its newest checkpoint) or a checkpoint. Without a prompt
 * the text begins after a line break, or after the first symbol of a vocabulary without one. The same seed
 * draws the same text. Throws InputError for settings, a checkpoint or a prompt that cannot work.
 */
export async function sample(
  target: string,
  settings: SampleSettings = {},
  options: SampleOptions = {},
): Promise<SampleResult> {
  const config = sampleSettings.parse(settings);
  const { checkpoint, warnings } = openTarget(target);
  for (const warning of warnings) options.onWarning?.(warning);
  try {
    const { header, path } = checkpoint;
    const vocabulary = new Vocabulary(header.tokens, header.vocabulary);
    const prompt = config.prompt === '' ? [vocabulary.firstId] : vocabulary.encode(config.prompt);
    const predictor = new Predictor(checkpoint, config.count, config.backend);
    const writers = Array.from({ length: config.count }, () => vocabulary.decoder());
    const texts = writers.map(() => '');
    const write = (index: number, text: string) => {
      texts[index] += text;
      if (text) options.onText?.(text, index);
    };
    for (const index of texts.keys()) write(index, config.prompt);
    let logits = feedPrompt(predictor, prompt, config.count);
    let drawn = 0;
    for (; drawn < config.length && !options.signal?.aborted; drawn++) {
      const ids = logits.map((row, index) =>
        chooseToken(row, config, uniform(mixKey(config.seed, KEY_TAG, index), drawn)),
      );
      for (const [index, id] of ids.entries()) write(index, writers[index].write([id]));
      if (drawn + 1 < config.length) logits = predictor.step(ids);
      if (drawn % BREATH_TOKENS === 0) await setImmediate();
    }
    for (const [index, writer] of writers.entries()) write(index, writer.end());
    return {
      checkpoint: path,
      step: header.progress.step,
      prompt: config.prompt,
      texts,
      length: drawn,
    };
  } finally {
    checkpoint.close();
  }
}

/** Runs the prompt through every stream; returns the logits after its last token. */
function feedPrompt(predictor: Predictor, prompt: Iterable<number>, count: number): Float32Array[] {
  let logits: Float32Array[] = [];
  for (const id of prompt) logits = predictor.step(new Array<number>(count).fill(id));
  return logits;
}
