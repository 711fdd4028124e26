import { describe, expect, it } from 'vitest';

import { arrangeGraph } from '../../src/graph/arrange';
import type { Arrangement, ILayout, ILayoutOptions, Orientation } from '../../src/graph/layout';
import { ARRANGEMENTS, ORIENTATIONS } from '../../src/graph/layout';
import type { INestedGraph } from '../../src/graph/nesting';
import { arrangeNested, flattened, levelsOf } from '../../src/graph/nesting';
import { withShifts } from '../../src/graph/positions';
import type { IGraphStructure } from '../../src/graph/structure';
import { structureFromWire } from '../../src/graph/structure';
import { chain, fan, randomGraph } from '../fakes';

const OPTIONS: ILayoutOptions = {
  orientation: 'down',
  showParameters: true,
  showPostprocess: true
};

function nested(
  structure: IGraphStructure,
  parts: [number, INestedGraph][] = [],
  showsParameters = true
): INestedGraph {
  return { structure, showsParameters, parts: new Map(parts) };
}

/** A chain whose first task is a fan, of which node 2 is a chain; and whose third is a random graph. */
const INNERMOST = nested(structureFromWire(chain(2)));
const GRAPH = nested(structureFromWire(chain(3)), [
  [2, nested(structureFromWire(randomGraph(12, 3)))],
  [0, nested(structureFromWire(fan(3)), [[2, INNERMOST]])]
]);
const LEVELS = levelsOf(GRAPH);
const STRUCTURE = flattened(LEVELS);

function boxOf({ x, y, nodeWidth, nodeHeight }: ILayout, id: number) {
  return {
    left: x[id] - nodeWidth[id] / 2,
    right: x[id] + nodeWidth[id] / 2,
    top: y[id] - nodeHeight[id] / 2,
    bottom: y[id] + nodeHeight[id] / 2
  };
}

function expectInside(layout: ILayout, id: number, frame: number): void {
  const [inner, outer] = [boxOf(layout, id), boxOf(layout, frame)];
  expect(inner.left).toBeGreaterThan(outer.left);
  expect(inner.right).toBeLessThan(outer.right);
  expect(inner.top).toBeGreaterThan(outer.top + 20); // the name stands there
  expect(inner.bottom).toBeLessThan(outer.bottom);
}

function overlaps(layout: ILayout, a: number, b: number): boolean {
  const [one, other] = [boxOf(layout, a), boxOf(layout, b)];
  const slack = 0.01;
  return (
    one.left < other.right - slack &&
    other.left < one.right - slack &&
    one.top < other.bottom - slack &&
    other.top < one.bottom - slack
  );
}

describe('graphs inside of graphs', () => {
  it('are numbered one after the other, inner ones after those around them', () => {
    expect(LEVELS.map(({ first, frame }) => [first, frame])).toEqual([
      [0, -1],
      [5, 0],
      [10, 7],
      [14, 2]
    ]);
    expect(STRUCTURE.count).toBe(26);
    expect(STRUCTURE.names.slice(5, 10)).toEqual(['split', 'work_1', 'work_2', 'work_3', 'join']);
    const inner = LEVELS[2].graph.structure;
    const at = LEVELS[0].graph.structure.source.length + LEVELS[1].graph.structure.source.length;
    expect([...STRUCTURE.source.slice(at, at + inner.source.length)]).toEqual(
      [...inner.source].map(id => id + 10)
    );
  });

  it.each(
    ARRANGEMENTS.flatMap(name => ORIENTATIONS.map(way => [name, way] as [Arrangement, Orientation]))
  )('stay in their frames, and apart from all else: %s, %s', (arrangement, orientation) => {
    const layout = arrangeNested(GRAPH, { ...OPTIONS, arrangement, orientation });
    expect(layout.x).toHaveLength(26);
    for (const { graph, first, frame } of LEVELS) {
      const ids = Array.from({ length: graph.structure.count }, (_, id) => first + id);
      for (const id of ids) {
        if (frame >= 0) {
          expectInside(layout, id, frame);
        }
        ids
          .filter(other => other > id)
          .forEach(other => expect(overlaps(layout, id, other)).toBe(false));
      }
    }
    layout.edges.forEach((edge, index) => {
      const last = layout.pointStart[index + 1] - 1;
      const target = boxOf(layout, STRUCTURE.target[edge]);
      const [x, y] = [layout.points[2 * last], layout.points[2 * last + 1]];
      expect(x >= target.left - 0.1 && x <= target.right + 0.1).toBe(true);
      expect(y >= target.top - 0.1 && y <= target.bottom + 0.1).toBe(true);
    });
  });

  it('are gone through where their frames are, and each node once', () => {
    const nodes = [...arrangeNested(GRAPH, OPTIONS).nodes];
    const at = nodes.indexOf(0);
    expect(new Set(nodes.slice(at + 1, at + 10))).toEqual(new Set([5, 6, 7, 8, 9, 10, 11, 12, 13]));
    expect([...nodes].sort((a, b) => a - b)).toEqual(Array.from({ length: 26 }, (_, id) => id));
  });

  it('leave out values where there are too many of them', () => {
    const few = nested(structureFromWire(chain(3)), [
      [0, nested(structureFromWire(chain(2)), [], false)]
    ]);
    const { nodes } = arrangeNested(few, OPTIONS);
    expect([nodes.includes(3), nodes.includes(5 + 2)]).toEqual([true, false]); // one of each is a value
  });

  it('do not change a graph in which nothing is unfolded', () => {
    const structure = structureFromWire(randomGraph(40, 2));
    expect(arrangeNested(nested(structure), OPTIONS)).toEqual(arrangeGraph(structure, OPTIONS));
    expect(flattened(levelsOf(nested(structure)))).toBe(structure);
  });

  it('keep a wide layer with a frame in one row', () => {
    const wide = nested(structureFromWire(fan(40)), [[7, nested(structureFromWire(chain(2)))]]);
    const layout = arrangeNested(wide, { ...OPTIONS, room: { width: 600, height: 400 } });
    const row = [...layout.nodes].filter(id => id >= 1 && id <= 40);
    expect(new Set(row.map(id => layout.y[id])).size).toBe(1);
  });
});

describe('moved nodes', () => {
  const structure = structureFromWire(chain(3));

  it('stand where they were put, and the picture holds them', () => {
    const plain = arrangeGraph(structure, OPTIONS);
    const moved = withShifts(structure, plain, new Map([[1, [-900, 40]]]));
    expect(moved.x[0] - moved.x[1] - (plain.x[0] - plain.x[1])).toBeCloseTo(900, 2);
    expect(moved.y[1] - moved.y[0] - (plain.y[1] - plain.y[0])).toBeCloseTo(40, 2);
    const { left } = boxOf(moved, 1);
    expect(left).toBeCloseTo(0, 2);
    expect(moved.width).toBeGreaterThan(900);
    expect(plain).toEqual(arrangeGraph(structure, OPTIONS));
  });

  it('take along what is inside of them, edges included', () => {
    const plain = arrangeNested(GRAPH, OPTIONS);
    const inside = new Map([[0, [5, 6, 7, 8, 9, 10, 11, 12, 13]]]);
    const moved = withShifts(STRUCTURE, plain, new Map([[0, [300, -70]]]), inside);
    const shiftOf = (id: number) => [
      Math.round(moved.x[id] - moved.x[1] - plain.x[id] + plain.x[1]),
      Math.round(moved.y[id] - moved.y[1] - plain.y[id] + plain.y[1])
    ];
    for (const id of [0, 5, 9, 10, 13]) {
      expect(shiftOf(id)).toEqual([300, -70]);
    }
    expect(shiftOf(14)).toEqual([0, 0]);
    const lengthOf = (layout: ILayout, edge: number) =>
      layout.pointStart[edge + 1] - layout.pointStart[edge];
    plain.edges.forEach((edge, index) => {
      if (STRUCTURE.source[edge] >= 5) {
        expect(lengthOf(moved, index)).toBe(lengthOf(plain, index));
      }
    });
  });

  it('leave a layout as it is that has none of them', () => {
    const plain = arrangeGraph(structure, { ...OPTIONS, showParameters: false });
    expect(withShifts(structure, plain, new Map())).toBe(plain);
    expect(
      withShifts(
        structure,
        plain,
        new Map([
          [3, [5, 5]],
          [99, [5, 5]]
        ])
      )
    ).toBe(plain);
  });
});
