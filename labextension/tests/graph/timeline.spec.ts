import { describe, expect, it } from 'vitest';

import {
  barAt,
  lanesIn,
  loadOf,
  MAX_ROWS,
  moveSpan,
  rowOf,
  ticksIn,
  zoomSpan
} from '../../src/graph/lanes';
import type { INodeStates } from '../../src/graph/states';
import { statesFromColumns } from '../../src/graph/states';
import type { IGraphStructure } from '../../src/graph/structure';
import { structureFromWire } from '../../src/graph/structure';
import type { ITimeline } from '../../src/graph/timeline';
import {
  pathTimes,
  ranFor,
  timelineOf,
  triedFor,
  waitedFor,
  waitsOf
} from '../../src/graph/timeline';
import { columns, graph, randomGraph } from '../fakes';

/** a → (b, c) → d, where b is slow; c goes through a list. */
const DIAMOND = graph(
  [
    ['a', 'function'],
    ['b', 'function'],
    ['c', 'function'],
    [':electron_list:', 'electron_list'],
    ['d', 'function'],
    [':parameter:1', 'parameter']
  ],
  [
    [0, 1, 'x'],
    [0, 2, 'x'],
    [1, 4, 'x'],
    [2, 3, 'arg[0]'],
    [3, 4, 'y'],
    [5, 0, 'n']
  ]
);
const structure = structureFromWire(DIAMOND);

/** States from status, start and end of nodes. */
function statesOf(
  of: IGraphStructure,
  rows: readonly [number, string, number, number][]
): INodeStates {
  const states = statesFromColumns(
    of,
    columns(
      1,
      rows.map(([id, status]) => [id, status])
    )
  );
  rows.forEach(([id, , start, end]) => {
    states.startedAt[id] = start;
    states.endedAt[id] = end;
  });
  return states;
}

const DONE = statesOf(structure, [
  [0, 'COMPLETED', 101, 103],
  [1, 'COMPLETED', 104, 110],
  [2, 'COMPLETED', 103, 105],
  [3, 'COMPLETED', NaN, NaN],
  [4, 'COMPLETED', 111, 112]
]);

describe('timelineOf', () => {
  const timeline = timelineOf(structure, DONE, 100) as ITimeline;

  it('lets a node wait from the end of its last source to its start', () => {
    expect(timeline.bars).toEqual([
      { id: 0, readyAt: 100, earlier: [], startedAt: 101, endedAt: 103 },
      { id: 2, readyAt: 103, earlier: [], startedAt: 103, endedAt: 105 },
      { id: 1, readyAt: 103, earlier: [], startedAt: 104, endedAt: 110 },
      { id: 4, readyAt: 110, earlier: [], startedAt: 111, endedAt: 112 }
    ]);
    expect([timeline.from, timeline.to]).toEqual([100, 112]);
  });

  it('finds the path that the end had to wait for', () => {
    expect(timeline.critical).toEqual([0, 1, 4]);
    expect(pathTimes(timeline, 200)).toEqual({ running: 9, waiting: 3, repeated: 0 });
  });

  it('goes through lists, which take no time', () => {
    const states = statesOf(structure, [
      [0, 'COMPLETED', 100, 101],
      [1, 'COMPLETED', 101, 102],
      [2, 'COMPLETED', 101, 109],
      [4, 'COMPLETED', 109, 110]
    ]);
    expect(timelineOf(structure, states, 100)?.critical).toEqual([0, 2, 4]);
  });

  it('shows what runs and what waits while the dispatch goes on, and nothing of the rest', () => {
    const states = statesOf(structure, [
      [0, 'COMPLETED', 101, 103],
      [1, 'RUNNING', 104, NaN],
      [2, 'STARTING', NaN, NaN]
    ]);
    const live = timelineOf(structure, states, 100) as ITimeline;
    expect(live.bars.map(bar => bar.id)).toEqual([0, 1, 2]);
    expect(live.to).toBeNaN();
    const [, running, waiting] = live.bars;
    expect([waitedFor(running, 110), ranFor(running, 110)]).toEqual([1, 6]);
    expect([waitedFor(waiting, 110), ranFor(waiting, 110)]).toEqual([7, 0]);
    expect(live.critical[0]).toBe(0);
  });

  it('shows nothing after a node that failed', () => {
    const states = statesOf(structure, [
      [0, 'FAILED', 101, 103],
      [1, 'CANCELLED', NaN, 103]
    ]);
    expect(timelineOf(structure, states, 100)?.bars.map(bar => bar.id)).toEqual([0]);
    expect(timelineOf(structure, states, 100)?.critical).toEqual([0]);
  });

  it('takes an attempt that started before its sources ended as it is', () => {
    const states = statesOf(structure, [[0, 'COMPLETED', 90, 95]]);
    expect(timelineOf(structure, states, 100)?.bars[0]).toEqual({
      id: 0,
      readyAt: 90,
      earlier: [],
      startedAt: 90,
      endedAt: 95
    });
  });

  it('keeps earlier attempts apart from waiting and from the last one', () => {
    const attempts = [
      { node_id: 0, attempt: 1, started_at: 102, ended_at: 104, error: 'lost' },
      { node_id: 0, attempt: 2, started_at: 105, ended_at: 106, error: 'no' },
      { node_id: 1, attempt: 1, started_at: null, ended_at: 112, error: 'lost' }
    ];
    const rows: [number, string][] = [
      [0, 'COMPLETED'],
      [1, 'STARTING']
    ];
    const states = statesFromColumns(structure, {
      ...columns(1, rows),
      started_at: [107, null],
      ended_at: [110, null],
      earlier_attempts: attempts
    });
    const repeated = timelineOf(structure, states, 100) as ITimeline;
    const [first, second] = repeated.bars;
    expect(waitsOf(first, 200)).toEqual([
      [100, 102],
      [104, 105],
      [106, 107]
    ]);
    expect([waitedFor(first, 200), triedFor(first), ranFor(first, 200)]).toEqual([4, 3, 3]);
    expect([second.earlier.length, waitedFor(second, 113)]).toEqual([0, 3]);
    expect(pathTimes(repeated, 113)).toMatchObject({ repeated: 3 });
    const load = loadOf(repeated, 'local', { from: 100, to: 110 }, 10, 110);
    expect([...load.running]).toEqual([0, 0, 1, 1, 0, 1, 0, 1, 1, 1]);
    expect([...load.waiting]).toEqual([1, 1, 0, 0, 1, 0, 1, 0, 0, 0]);
  });

  it('shows one that was cancelled before its next attempt until then', () => {
    const states = statesFromColumns(structure, {
      ...columns(1, [[0, 'CANCELLED']]),
      started_at: [null],
      ended_at: [110],
      earlier_attempts: [{ node_id: 0, attempt: 1, started_at: 102, ended_at: 104, error: 'no' }]
    });
    const { bars, to } = timelineOf(structure, states, 100) as ITimeline;
    expect([to, waitedFor(bars[0], 200), ranFor(bars[0], 200)]).toEqual([110, 8, 0]);
  });

  it('is none before anything started', () => {
    expect(timelineOf(structure, statesFromColumns(structure, null), null)).toBeNull();
  });

  it('is a path from a beginning to the last end in any graph', () => {
    const random = structureFromWire(randomGraph(200, 9));
    const rows = random.names.map((_, id): [number, string, number, number] => [
      id,
      'COMPLETED',
      10 * id,
      10 * id + 5
    ]);
    const { critical } = timelineOf(random, statesOf(random, rows), 0) as ITimeline;
    expect(critical[critical.length - 1]).toBe(199);
    critical.slice(1).forEach((id, index) => {
      const isEdge = [...random.source.keys()].some(
        edge => random.source[edge] === critical[index] && random.target[edge] === id
      );
      expect(isEdge).toBe(true);
    });
  });
});

describe('lanes', () => {
  const timeline = timelineOf(structure, DONE, 100) as ITimeline;
  const whole = { from: 100, to: 112 };

  it('have a row for each node that can be seen, and say which is where', () => {
    const lanes = lanesIn(timeline, whole, 112);
    expect(lanes.map(lane => [lane.name, lane.rows?.map(bar => bar.id)])).toEqual([
      ['local', [0, 2, 1, 4]]
    ]);
    for (const id of [0, 1, 2, 4]) {
      expect(barAt(lanes, (rowOf(lanes, id) ?? 0) + 1)?.id).toBe(id);
    }
    expect([barAt(lanes, 0), barAt(lanes, 9999), rowOf(lanes, 3)]).toEqual([null, null, null]);
    expect(lanesIn(timeline, { from: 100, to: 102 }, 112)[0].count).toBe(1);
  });

  it('are areas where there are too many nodes for rows', () => {
    const count = MAX_ROWS + 1;
    const many = structureFromWire(
      graph(
        Array.from({ length: count }, () => ['work', 'function'] as const),
        []
      )
    );
    const rows = many.names.map((_, id): [number, string, number, number] => [
      id,
      'COMPLETED',
      id,
      id + 1
    ]);
    const fan = timelineOf(many, statesOf(many, rows), 0) as ITimeline;
    expect(lanesIn(fan, { from: 0, to: count }, count)[0].rows).toBeNull();
    const [near] = lanesIn(fan, { from: 0.5, to: 9.5 }, count);
    expect([near.rows?.length, near.count]).toEqual([10, count]);
    const load = loadOf(fan, 'local', { from: 0, to: count }, count, count);
    expect([...load.running]).toEqual(Array.from({ length: count }, () => 1));
    expect([...load.waiting]).toEqual(Array.from({ length: count }, (_, at) => count - 1 - at));
  });

  it('tell how many ran on average where the parts are coarse or outside', () => {
    const load = loadOf(timeline, 'local', { from: 98, to: 114 }, 4, 200);
    expect([...load.running]).toEqual([0.25, 1.5, 1.25, 0.75].map(() => expect.any(Number)));
    expect(load.running.reduce((sum, part) => sum + part * 4, 0)).toBeCloseTo(11);
    expect(load.waiting.reduce((sum, part) => sum + part * 4, 0)).toBeCloseTo(3);
  });
});

describe('spans', () => {
  const whole = { from: 0, to: 100 };

  it('are enlarged around a time and stay within the whole', () => {
    expect(zoomSpan(whole, 2, 50, whole)).toEqual({ from: 25, to: 75 });
    expect(zoomSpan({ from: 0, to: 10 }, 2, 0, whole)).toEqual({ from: 0, to: 5 });
    expect(zoomSpan({ from: 20, to: 30 }, 0.001, 25, whole)).toBe(whole);
    expect(moveSpan({ from: 20, to: 30 }, 500, whole)).toEqual({ from: 90, to: 100 });
    expect(moveSpan({ from: 20, to: 30 }, -500, whole)).toEqual({ from: 0, to: 10 });
  });

  it('have round ticks from the beginning on', () => {
    const labels = (from: number, to: number, origin: number, width: number) =>
      ticksIn({ from, to }, origin, width).map(({ label }) => label);
    expect(ticksIn(whole, 0, 500).map(({ at }) => at)).toEqual([0, 20, 40, 60, 80, 100]);
    expect(labels(0, 3600, 0, 360)).toEqual(['0', '30 m 00 s', '1 h 00 m']);
    expect(labels(1000, 1000.004, 1000, 450)).toEqual(['0', '1 ms', '2 ms', '3 ms', '4 ms']);
    expect(labels(10.0402, 10.0414, 10, 450)).toContain('40.5 ms');
    expect(labels(12, 12.2, 10, 450)).toContain('2.05 s');
  });
});
