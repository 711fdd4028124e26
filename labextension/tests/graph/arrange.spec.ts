import { describe, expect, it } from 'vitest';

import type { GraphWire } from '../../src/contract';
import { arrangeGraph } from '../../src/graph/arrange';
import type { Arrangement, ILayout, ILayoutOptions, Orientation } from '../../src/graph/layout';
import { ARRANGEMENTS, ORIENTATIONS } from '../../src/graph/layout';
import type { ILayoutRequest } from '../../src/graph/layouter';
import { isQuick, WorkerLayouter } from '../../src/graph/layouter';
import { arrangeNested } from '../../src/graph/nesting';
import { detached, moveNodes } from '../../src/graph/positions';
import { structureFromWire } from '../../src/graph/structure';
import { chain, fan, graph, randomGraph } from '../fakes';

const ALL: ILayoutOptions = {
  orientation: 'down',
  showParameters: true,
  showPostprocess: true
};

function arranged(wire: GraphWire, arrangement: Arrangement, orientation: Orientation = 'down') {
  return arrangeGraph(structureFromWire(wire), { ...ALL, arrangement, orientation });
}

function overlapCount(layout: ILayout): number {
  let count = 0;
  const { nodes, x, y, nodeWidth, nodeHeight } = layout;
  nodes.forEach((a, i) => {
    for (const b of nodes.subarray(i + 1)) {
      const wide = (nodeWidth[a] + nodeWidth[b]) / 2 - Math.abs(x[a] - x[b]);
      const high = (nodeHeight[a] + nodeHeight[b]) / 2 - Math.abs(y[a] - y[b]);
      count += wide > 0.5 && high > 0.5 ? 1 : 0;
    }
  });
  return count;
}

/** Ends of an edge: where it leaves and where it arrives. */
function endsOf(layout: ILayout, edge: number): number[] {
  const [first, last] = [layout.pointStart[edge], layout.pointStart[edge + 1] - 1];
  return [
    ...layout.points.slice(2 * first, 2 * first + 2),
    ...layout.points.slice(2 * last, 2 * last + 2)
  ];
}

describe('arrangeGraph', () => {
  it.each(ARRANGEMENTS)(
    'puts every node of %s inside the bounds and apart from the others',
    name => {
      for (const wire of [randomGraph(70, 3), fan(40), chain(5)]) {
        const layout = arranged(wire, name);
        expect([...layout.nodes].sort((a, b) => a - b)).toEqual(wire.nodes.name.map((_, id) => id));
        expect(overlapCount(layout)).toBe(0);
        for (const id of layout.nodes) {
          expect(layout.x[id] - layout.nodeWidth[id] / 2).toBeGreaterThanOrEqual(-0.5);
          expect(layout.y[id] - layout.nodeHeight[id] / 2).toBeGreaterThanOrEqual(-0.5);
          expect(layout.x[id] + layout.nodeWidth[id] / 2).toBeLessThanOrEqual(layout.width + 0.5);
          expect(layout.y[id] + layout.nodeHeight[id] / 2).toBeLessThanOrEqual(layout.height + 0.5);
        }
      }
    }
  );

  it.each(ARRANGEMENTS)('gives the same picture of %s each time', name => {
    expect(arranged(randomGraph(40, 5), name)).toEqual(arranged(randomGraph(40, 5), name));
  });

  it.each(ARRANGEMENTS)('draws %s of a graph without nodes, and without edges', name => {
    expect(arranged(graph([], []), name).nodes).toHaveLength(0);
    expect(arranged(graph([['a', 'function']], []), name).edges).toHaveLength(0);
  });

  it.each(['layered', 'tree'] as const)('lets %s flow in all four directions', name => {
    const steps: Record<Orientation, [number, number]> = {
      down: [0, 1],
      up: [0, -1],
      right: [1, 0],
      left: [-1, 0]
    };
    for (const orientation of ORIENTATIONS) {
      const layout = arranged(randomGraph(30, 2), name, orientation);
      const [dx, dy] = steps[orientation];
      layout.edges.forEach((_, edge) => {
        const [x, y, toX, toY] = endsOf(layout, edge);
        expect((toX - x) * dx + (toY - y) * dy).toBeGreaterThan(0);
      });
    }
  });

  it('hangs every node of a tree below the deepest of its sources', () => {
    const wire = graph(
      [
        ['a', 'function'],
        ['b', 'function'],
        ['c', 'function']
      ],
      [
        [0, 1, 'x'],
        [1, 2, 'x'],
        [0, 2, 'y']
      ]
    );
    const { x, y } = arranged(wire, 'tree');
    expect([x[1] - x[0], x[2] - x[1]]).toEqual([0, 0]);
    expect(y[2] - y[1]).toBe(y[1] - y[0]);
  });

  it('packs rectangles in the order in which they run', () => {
    const { x, y } = arranged(chain(30), 'rectangles');
    for (let id = 1; id < 30; id += 1) {
      expect(y[id] > y[id - 1] || (y[id] === y[id - 1] && x[id] > x[id - 1])).toBe(true);
    }
  });

  it('leads straight edges from border to border', () => {
    const layout = arranged(
      graph(
        [
          ['a', 'function'],
          ['b', 'function']
        ],
        [[0, 1, 'x']]
      ),
      'rectangles'
    );
    const [x, y, toX, toY] = endsOf(layout, 0);
    const isOn = (id: number, px: number, py: number) =>
      Math.min(
        Math.abs(Math.abs(px - layout.x[id]) - layout.nodeWidth[id] / 2),
        Math.abs(Math.abs(py - layout.y[id]) - layout.nodeHeight[id] / 2)
      );
    expect(isOn(0, x, y)).toBeCloseTo(0, 3);
    expect(isOn(1, toX, toY)).toBeCloseTo(0, 3);
  });

  it('arranges a tree and a packing of ten thousand nodes', () => {
    for (const name of ['tree', 'rectangles', 'boxes'] as const) {
      expect(arranged(randomGraph(10_000, 1), name).nodes).toHaveLength(10_000);
    }
  });
});

describe('moving a node', () => {
  it('takes the ends of its edges along and leaves everything else', () => {
    const structure = structureFromWire(randomGraph(60, 4));
    const before = arrangeGraph(structure, ALL);
    const after = detached(structure, before, new Set([7]));
    moveNodes(structure, after, new Set([7]), 30, -20);
    expect([after.x[7] - before.x[7], after.y[7] - before.y[7]]).toEqual([30, -20]);
    after.edges.forEach((edge, index) => {
      const isOwn = structure.source[edge] === 7 || structure.target[edge] === 7;
      if (!isOwn) {
        expect(endsOf(after, index)).toEqual(endsOf(before, index));
      } else if (structure.source[edge] === 7) {
        expect(endsOf(after, index)[0]).toBeCloseTo(after.x[7], 2);
      }
    });
    expect(before.x[7]).not.toBe(after.x[7]);
  });
});

/** A worker that answers when it is told to. */
class FakeWorker {
  onmessage: (event: { data: unknown }) => void = () => undefined;
  onerror: (event: { preventDefault: () => void }) => void = () => undefined;
  isTerminated = false;
  request: ILayoutRequest | null = null;

  postMessage(request: ILayoutRequest): void {
    this.request = request;
  }

  terminate(): void {
    this.isTerminated = true;
  }

  answer(): void {
    const { graph: asked, options } = this.request as ILayoutRequest;
    this.onmessage({ data: arrangeNested(asked, options) });
  }
}

describe('WorkerLayouter', () => {
  const requestOf = (wire: GraphWire): ILayoutRequest => ({
    graph: { structure: structureFromWire(wire), showsParameters: true, parts: new Map() },
    options: ALL
  });
  const request = requestOf(chain(3));

  it('hands back what the worker made, and ends the worker', () => {
    const worker = new FakeWorker();
    const layouts: ILayout[] = [];
    new WorkerLayouter(() => worker as unknown as Worker).arrange(request, layout =>
      layouts.push(layout)
    );
    worker.answer();
    expect(layouts).toEqual([arrangeGraph(request.graph.structure, ALL)]);
    expect(worker.isTerminated).toBe(true);
  });

  it('ends a layout that another one replaces', () => {
    const workers: FakeWorker[] = [];
    const layouter = new WorkerLayouter(() => {
      workers.push(new FakeWorker());
      return workers[workers.length - 1] as unknown as Worker;
    });
    const done: string[] = [];
    layouter.arrange(request, () => done.push('first'));
    layouter.arrange(request, () => done.push('second'));
    expect(workers.map(worker => worker.isTerminated)).toEqual([true, false]);
    workers[1].answer();
    expect(done).toEqual(['second']);
  });

  it('makes the layout in the page where a worker cannot be started or breaks', async () => {
    const refused = new WorkerLayouter(() => {
      throw new Error('Refused to create a worker.');
    });
    const layout = await new Promise<ILayout>(done => refused.arrange(request, done));
    expect(layout.nodes).toHaveLength(5);
    const worker = new FakeWorker();
    const broken = new WorkerLayouter(() => worker as unknown as Worker);
    const again = new Promise<ILayout>(done => broken.arrange(request, done));
    worker.onerror({ preventDefault: () => undefined });
    expect((await again).nodes).toHaveLength(5);
  });

  it('is asked only for what takes long', () => {
    const large = requestOf(randomGraph(3000, 1));
    const some = requestOf(randomGraph(300, 1));
    expect([isQuick(request), isQuick(some), isQuick(large)]).toEqual([true, true, false]);
    expect(isQuick({ ...some, options: { ...ALL, arrangement: 'force' } })).toBe(false);
  });
});
