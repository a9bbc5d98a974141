/** The scaling benchmark as one SVG. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { ScalingBenchmark } from './scaling.ts';
import { predictSeconds } from './scaling-model.ts';

interface Point {
  workers: number;
  tokensPerSecond: number;
  series: string;
}

/** Tokens a second against workers: measured (strong and weak), ideal, and the model where there is one. */
export function drawScaling(benchmark: ScalingBenchmark): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const { strong, weak, model, workload, variant } = benchmark;
  const measured: Point[] = [
    ...strong.map((row) => ({ ...row, series: 'strong scaling' })),
    ...weak.map((row) => ({ ...row, series: 'weak scaling' })),
  ];
  const [first] = strong;
  const ideal = strong.map(({ workers }) => ({
    workers,
    tokensPerSecond: (first.tokensPerSecond * workers) / first.workers,
  }));
  const tokens = workload.streams * workload.times;
  const modelled = model
    ? [...strong, ...benchmark.predictions].map(({ workers }) => ({
        workers,
        tokensPerSecond: tokens / predictSeconds(model, workers),
      }))
    : [];
  const { cell, layers, hidden } = workload.spec;
  const figure = Plot.plot({
    document,
    width: 720,
    height: 440,
    marginLeft: 70,
    style: { background: 'white', color: 'black', fontFamily: 'sans-serif', fontSize: '12px' },
    x: { label: 'workers', type: 'log', base: 2, tickFormat: 'd', ticks: strong.length },
    y: { label: 'tokens a second', grid: true, zero: true },
    color: {
      legend: false,
      domain: ['strong scaling', 'weak scaling'],
      range: ['#1f6f8b', '#c8553d'],
    },
    marks: [
      Plot.line(ideal, {
        x: 'workers',
        y: 'tokensPerSecond',
        stroke: '#999999',
        strokeDasharray: '4 4',
      }),
      Plot.line(modelled, { x: 'workers', y: 'tokensPerSecond', stroke: '#555555' }),
      Plot.line(measured, { x: 'workers', y: 'tokensPerSecond', stroke: 'series' }),
      Plot.dot(measured, { x: 'workers', y: 'tokensPerSecond', fill: 'series' }),
      Plot.text(measured, {
        filter: ({ workers, series }: Point) =>
          workers === strong[strong.length - 1].workers && series !== '',
        x: 'workers',
        y: 'tokensPerSecond',
        text: 'series',
        fill: 'series',
        textAnchor: 'end',
        dx: -8,
        dy: -10,
      }),
      Plot.frame({ stroke: '#cccccc' }),
    ],
  });
  figure.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const title = `${cell} ${layers}×${hidden}, ${workload.streams} streams × ${workload.times} steps, ${variant}; dashed: ideal`;
  figure.setAttribute('aria-label', title);
  return figure.outerHTML.replace('>', `><title>${title}</title>`);
}
