import { describe, expect, it } from 'vitest';

import type { GraphWire } from '../../src/contract';
import type { ILayout, ILayoutOptions } from '../../src/graph/layout';
import { layoutGraph } from '../../src/graph/layout';
import { structureFromWire } from '../../src/graph/structure';
import { chain, fan, graph, randomGraph } from '../fakes';

const ALL: ILayoutOptions = {
  orientation: 'down',
  showParameters: true,
  showPostprocess: true
};

function layoutOf(wire: GraphWire, options: Partial<ILayoutOptions> = {}): ILayout {
  return layoutGraph(structureFromWire(wire), { ...ALL, ...options });
}

/** Pairs of visible nodes whose rectangles overlap. */
function overlaps(layout: ILayout): [number, number][] {
  const found: [number, number][] = [];
  const { nodes, x, y, nodeWidth, nodeHeight } = layout;
  for (let i = 0; i < nodes.length; i += 1) {
    for (let j = i + 1; j < nodes.length; j += 1) {
      const [a, b] = [nodes[i], nodes[j]];
      const wide = (nodeWidth[a] + nodeWidth[b]) / 2 - Math.abs(x[a] - x[b]);
      const high = (nodeHeight[a] + nodeHeight[b]) / 2 - Math.abs(y[a] - y[b]);
      if (wide > 0.5 && high > 0.5) {
        found.push([a, b]);
      }
    }
  }
  return found;
}

describe('layoutGraph', () => {
  it('draws successors below', () => {
    const { y } = layoutOf(chain(4));
    expect([...y.slice(0, 4)]).toEqual([...y.slice(0, 4)].sort((a, b) => a - b));
    expect(new Set(y.slice(0, 4)).size).toBe(4);
  });

  it('draws successors to the right when asked to', () => {
    const { x, y } = layoutOf(chain(4), { orientation: 'right', showParameters: false });
    expect([...x.slice(0, 4)]).toEqual([...x.slice(0, 4)].sort((a, b) => a - b));
    expect(new Set(y.slice(0, 4)).size).toBe(1);
  });

  it('keeps every node inside its bounds and apart from the others', () => {
    for (const seed of [1, 2, 3]) {
      for (const orientation of ['down', 'right'] as const) {
        const layout = layoutOf(randomGraph(90, seed), { orientation });
        expect(overlaps(layout)).toEqual([]);
        for (const id of layout.nodes) {
          expect(layout.x[id] - layout.nodeWidth[id] / 2).toBeGreaterThanOrEqual(-0.5);
          expect(layout.y[id] - layout.nodeHeight[id] / 2).toBeGreaterThanOrEqual(-0.5);
          expect(layout.x[id] + layout.nodeWidth[id] / 2).toBeLessThanOrEqual(layout.width + 0.5);
          expect(layout.y[id] + layout.nodeHeight[id] / 2).toBeLessThanOrEqual(layout.height + 0.5);
        }
      }
    }
  });

  it('hides parameters and the postprocess node with their edges', () => {
    const wire = chain(3);
    const layout = layoutOf(wire, { showParameters: false, showPostprocess: false });
    expect([...layout.nodes].sort()).toEqual([0, 1, 2]);
    expect(layout.edges.length).toBe(2);
  });

  it('puts a parameter just above the node that uses it', () => {
    const wire = graph(
      [
        ['a', 'function'],
        ['b', 'function'],
        ['c', 'function'],
        [':parameter:1', 'parameter']
      ],
      [
        [0, 1, 'x'],
        [1, 2, 'x'],
        [3, 2, 'y']
      ]
    );
    const { y } = layoutOf(wire);
    expect(y[3]).toBe(y[1]);
  });

  it('wraps a fan of a thousand into a block of readable shape', () => {
    const layout = layoutOf(fan(1000));
    const rows = new Set(layout.y.slice(1, 1001));
    expect(rows.size).toBeGreaterThan(10);
    expect(layout.width / layout.height).toBeGreaterThan(0.7);
    expect(layout.width / layout.height).toBeLessThan(3);
    expect(overlaps(layout)).toEqual([]);
  });

  it('leads long edges around the layers they cross', () => {
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
    const layout = layoutOf(wire);
    const long = layout.edges.indexOf(2);
    expect(layout.pointStart[long + 1] - layout.pointStart[long]).toBe(3);
    const bend = layout.points[2 * (layout.pointStart[long] + 1)];
    expect(Math.abs(bend - layout.x[1])).toBeGreaterThan(layout.nodeWidth[1] / 2);
  });

  it('survives an empty graph and a cycle', () => {
    expect(layoutOf(graph([], [])).nodes.length).toBe(0);
    const cycle = graph(
      [
        ['a', 'function'],
        ['b', 'function']
      ],
      [
        [0, 1, 'x'],
        [1, 0, 'x']
      ]
    );
    expect(layoutOf(cycle).nodes.length).toBe(2);
  });

  it('gives each of ten thousand nodes a place of its own', () => {
    for (const wire of [randomGraph(10_000, 4), fan(10_000)]) {
      const layout = layoutGraph(structureFromWire(wire), ALL);
      const places = new Set(Array.from(layout.nodes, id => `${layout.x[id]},${layout.y[id]}`));
      expect(places.size).toBe(layout.nodes.length);
    }
  });
});
