/** Memory and throughput against steps, as one SVG of two panels. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Sample } from './sampler.ts';

const WIDTH = 800;
const HEIGHT = 260;

export function drawSoak(samples: readonly Sample[]): string {
  const mebibytes = (bytes: number) => bytes / 2 ** 20;
  const memory = samples.flatMap(({ step, residentBytes, heapBytes, externalBytes }) => [
    { step, value: mebibytes(residentBytes), series: 'resident' },
    { step, value: mebibytes(heapBytes), series: 'heap of the main thread' },
    { step, value: mebibytes(externalBytes), series: 'its buffers' },
  ]);
  const speed = samples.map(({ step, tokensPerSecond }) => {
    return { step, value: tokensPerSecond, series: 'tokens a second' };
  });
  const panels = [panel(memory, 'memory, MiB'), panel(speed, 'tokens a second')];
  const moved = panels.map((svg, i) => svg.replace('<svg', `<svg y="${i * HEIGHT}"`));
  const size = `width="${WIDTH}" height="${HEIGHT * panels.length}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${moved.join('')}</svg>\n`;
}

interface Point {
  step: number;
  value: number;
  series: string;
}

function panel(points: Point[], label: string): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const figure = Plot.plot({
    document,
    width: WIDTH,
    height: HEIGHT,
    marginLeft: 70,
    marginRight: 190,
    style: { background: 'white', color: 'black', fontFamily: 'sans-serif', fontSize: '12px' },
    x: { label: 'steps' },
    y: { label, grid: true, zero: true },
    marks: [
      Plot.line(points, { x: 'step', y: 'value', stroke: 'series' }),
      Plot.text(
        points,
        Plot.selectLast({
          x: 'step',
          y: 'value',
          z: 'series',
          text: 'series',
          textAnchor: 'start',
          dx: 6,
        }),
      ),
    ],
  });
  figure.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return figure.outerHTML;
}
