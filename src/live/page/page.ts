/** The whole page of one run. */
import type { Snapshot } from '../protocol.ts';
import { RunView, TOPICS } from '../view/run-view.ts';
import { alertsPart } from './alerts-part.ts';
import { configurationPart } from './configuration-part.ts';
import { element, setText } from './elements.ts';
import { Frames } from './frames.ts';
import { lagsPart } from './lags-part.ts';
import { saturationPart, updateRatioPart } from './layer-curves.ts';
import type { Part } from './part.ts';
import { phasesPart } from './phases-part.ts';
import { samplesPart } from './samples-part.ts';
import { stateName, statePart } from './state-part.ts';
import { gradientNormPart, learningRatePart, lossPart, throughputPart } from './step-curves.ts';
import type { Connection } from './stream.ts';
import { themeButton } from './theme.ts';
import { upkeepPart } from './upkeep-part.ts';
import { workersPart } from './workers-part.ts';

const CONNECTIONS: Record<Connection | 'report', string> = {
  open: 'connected',
  lost: 'connection lost, trying again',
  ended: 'the run is over and its server gone; this is the last it sent',
  report: 'report',
};

export interface PageOptions {
  /** Of logs, which do not hold all that a live page shows. */
  isReport: boolean;
}

export class Page {
  readonly view: RunView;
  readonly frames: Frames;
  readonly #state = element('span', { class: 'badge' });
  readonly #connection = element('span', { class: 'connection' });

  /** Puts the page into the document. */
  constructor(snapshot: Snapshot, { isReport }: PageOptions) {
    this.view = new RunView(snapshot);
    const parts = [
      statePart(),
      alertsPart(isReport),
      lossPart(),
      throughputPart(),
      gradientNormPart(),
      phasesPart(),
      below(workersPart(isReport), learningRatePart()),
      lagsPart(),
      saturationPart(),
      updateRatioPart(),
      upkeepPart(isReport),
      samplesPart(),
      configurationPart(),
    ];
    this.frames = new Frames([this.#title(), ...parts], () => this.view.now);
    this.#mount(parts);
  }

  connected(connection: keyof typeof CONNECTIONS): void {
    this.#connection.dataset.connection = connection;
    setText(this.#connection, CONNECTIONS[connection]);
  }

  #mount(parts: readonly Part[]): void {
    const name = element('h1', {}, this.view.now.run.run);
    const theme = themeButton(() => this.frames.recolour());
    const live = element(
      'p',
      { class: 'live', role: 'status' },
      this.#state,
      ' ',
      this.#connection,
    );
    const header = element(
      'header',
      {},
      element('p', { class: 'brand' }, 'Threadloom'),
      theme,
      element('div', { class: 'run' }, name, live),
    );
    const main = element('main', {}, ...parts.map((part) => part.element));
    document.body.replaceChildren(header, main);
    this.frames.changed(TOPICS);
  }

  /** The state stands in a live region: it is read out when it changes, and not at every step. */
  #title(): Part {
    return {
      element: this.#state,
      topics: ['kind', 'run'],
      draw: ({ state, run }) => {
        setText(this.#state, stateName(state));
        this.#state.dataset.state = state.kind;
        const name = document.querySelector('h1');
        if (name) setText(name, run.run);
      },
    };
  }
}

/** Two parts in the place of one. */
function below(upper: Part, lower: Part): Part {
  return {
    element: element('div', { class: 'column' }, upper.element, lower.element),
    topics: [...new Set([...upper.topics, ...lower.topics])],
    draw(now) {
      upper.draw(now);
      lower.draw(now);
    },
    recolour() {
      upper.recolour?.();
      lower.recolour?.();
    },
  };
}
