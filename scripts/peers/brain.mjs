/**
 * Characters a second that brain.js trains an LSTM. It knows neither batches nor carried state nor
 * Adam: a step is its own, one text of T characters at a time, with RMSProp and clipping by value.
 */
import { loadPackage, makeIds, reportSteps, workload } from './peer.mjs';

const LEAST_STEPS = 5;
const FIRST_CHARACTER = 48;

const brain = await loadPackage('brain.js');
const { hidden, layers, chunk, vocab } = workload;

const characters = Array.from({ length: vocab }, (_, id) =>
  String.fromCharCode(FIRST_CHARACTER + id),
);
const text = makeIds(chunk, vocab)
  .map((id) => characters[id])
  .join('');
const network = new brain.recurrent.LSTM({
  hiddenLayers: new Array(layers).fill(hidden),
  dataFormatter: new brain.utilities.DataFormatter(characters),
});

reportSteps(() => network.train([text], { iterations: 1 }), chunk, LEAST_STEPS);
