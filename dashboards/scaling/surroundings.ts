/** Loader, main thread and memory. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DASHED, lines } from '../panels.ts';
import { of, rate } from '../queries.ts';
import { SHARE } from './shares.ts';

export function surroundingPanels(): Panel[] {
  return [
    lines({
      title: 'Ring of chunks',
      description:
        'Share of the ring that was ready for the last step. Above a half: the loader is ahead, which is asked for half of the chunks at once. Near 0 with a high share of load: it cannot keep up.',
      ...SHARE,
      width: 6,
      height: 8,
      queries: [
        {
          expr: `${of('threadloom_ring_filled_slots')} / ${of('threadloom_ring_slots')}`,
          legend: 'ready',
        },
      ],
    }),
    lines({
      title: 'Text read',
      description: 'Bytes a second that the loader reads.',
      unit: 'binBps',
      width: 6,
      height: 8,
      min: 0,
      queries: [{ expr: rate('threadloom_read_bytes_total'), legend: 'read' }],
    }),
    lines({
      title: 'Lag of the event loop',
      description:
        'How late the main thread gets to its work. It schedules all phases: milliseconds here are milliseconds a step.',
      unit: 's',
      width: 6,
      height: 8,
      min: 0,
      queries: [
        { expr: of('threadloom_event_loop_lag_seconds', 'percentile="50"'), legend: 'median' },
        { expr: of('threadloom_event_loop_lag_seconds', 'percentile="99"'), legend: '99%' },
      ],
    }),
    lines({
      title: 'Cores used',
      description:
        'Processor time of the whole process a second; the workers, and what they wait for.',
      unit: 'none',
      decimals: 1,
      width: 6,
      height: 8,
      min: 0,
      queries: [
        { expr: rate('process_cpu_seconds_total'), legend: 'used' },
        { expr: of('threadloom_workers_planned'), legend: 'workers' },
      ],
      looks: { workers: DASHED },
    }),
    lines({
      title: 'Shared memory, by region',
      description: 'The arena: sized once at the start, never grown.',
      unit: 'bytes',
      width: 12,
      height: 8,
      min: 0,
      stacked: true,
      queries: [
        { expr: `sum by (region) (${of('threadloom_arena_bytes')})`, legend: '{{region}}' },
      ],
    }),
    lines({
      title: 'Memory of the process',
      description:
        'Resident memory holds the touched part of the arena, the heap and the threads. A heap that only ever grows is a leak: please report it.',
      unit: 'bytes',
      width: 12,
      height: 8,
      min: 0,
      queries: [
        { expr: of('process_resident_memory_bytes'), legend: 'resident' },
        { expr: of('nodejs_heap_size_used_bytes'), legend: 'heap used' },
        { expr: of('nodejs_heap_size_total_bytes'), legend: 'heap' },
        { expr: of('nodejs_external_memory_bytes'), legend: 'external' },
      ],
    }),
  ];
}
