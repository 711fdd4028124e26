import { describe, expect, it } from 'vitest';

import { arrangeNested } from '../../src/graph/nesting';
import { COMPLETED, RUNNING, statesFromColumns } from '../../src/graph/states';
import { structureFromWire } from '../../src/graph/structure';
import { plainTexts } from '../../src/graph/style';
import { Drawing, pathInto, placeOfPath } from '../../src/widgets/dagview/drawing';
import { isOnSign, signOf } from '../../src/widgets/dagview/foldsign';
import { describeDrawn } from '../../src/widgets/dagview/speech';
import {
  DEFAULT_VIEW,
  hasMoves,
  readView,
  withMove,
  withoutMoves
} from '../../src/widgets/dagview/view';
import { chain, columns, graph } from '../fakes';

const OUTER = structureFromWire(
  graph(
    [
      [':sublattice:inner', 'sublattice'],
      ['after', 'function']
    ],
    [[0, 1, 'x']]
  )
);
const INNER = structureFromWire(chain(2)); // two tasks, a value, the postprocess node
const states = (structure: typeof OUTER, rows: Parameters<typeof columns>[1] = []) =>
  statesFromColumns(structure, columns(1, rows));
const part = (rows: Parameters<typeof columns>[1] = []) => ({
  structure: INNER,
  states: states(INNER, rows)
});

/** `count` equal tasks, each of which is followed by a sublattice of the same name. */
function wide(count: number) {
  const ids = Array.from({ length: count }, (_, id) => id);
  return structureFromWire(
    graph(
      ids.map(() => [':sublattice:same', 'sublattice'] as const),
      []
    )
  );
}

describe('an unfolded sublattice', () => {
  it('is drawn in its place, with its states, and numbered after the graph around it', () => {
    const drawing = new Drawing(OUTER, DEFAULT_VIEW);
    expect(drawing.setParts(new Map([['0', part([[1, 'RUNNING']])]]))).toBe(true);
    expect(drawing.structure.count).toBe(6);
    expect([...drawing.frames]).toEqual([[0, [2, 3, 4, 5]]]);
    expect([drawing.frameOf(1), drawing.frameOf(3)]).toEqual([-1, 0]);
    expect(drawing.states.status[3]).toBe(RUNNING);
    expect(drawing.placeOf(3)).toEqual({ path: '0', node: 1 });
    expect([drawing.numberOf({ path: '0', node: 1 }), drawing.idOf(3)]).toEqual([3, 1]);
  });

  it('is live: new states make no other graph of it', () => {
    const drawing = new Drawing(OUTER, DEFAULT_VIEW);
    drawing.setParts(new Map([['0', part([[1, 'RUNNING']])]]));
    expect(drawing.setParts(new Map([['0', part([[1, 'COMPLETED']])]]))).toBe(false);
    expect(drawing.states.status[3]).toBe(COMPLETED);
    drawing.setStates(states(OUTER, [[0, 'COMPLETED']]));
    expect([drawing.states.status[0], drawing.states.status[3]]).toEqual([COMPLETED, COMPLETED]);
  });

  it('folds again: what was in it is shown by its node', () => {
    const drawing = new Drawing(OUTER, DEFAULT_VIEW);
    drawing.setParts(new Map([['0', part()]]));
    expect(drawing.setParts(new Map())).toBe(true);
    expect(drawing.structure).toBe(OUTER);
    expect(drawing.numberOf({ path: '0', node: 1 })).toBe(0);
    expect(drawing.frames.size).toBe(0);
  });

  it('can be inside of another one', () => {
    const drawing = new Drawing(OUTER, DEFAULT_VIEW);
    const outer = { structure: OUTER, states: states(OUTER) };
    drawing.setParts(
      new Map([
        ['0/0', part()],
        ['0', outer]
      ])
    );
    expect(drawing.placeOf(drawing.numberOf({ path: '0/0', node: 1 }))).toEqual({
      path: '0/0',
      node: 1
    });
    expect([...drawing.frames].sort()).toEqual([
      [0, [2, 3, 4, 5, 6, 7]],
      [2, [4, 5, 6, 7]]
    ]);
    drawing.setParts(new Map([['0/0', part()]]));
    expect(drawing.structure).toBe(OUTER); // nothing is shown inside of what is folded
  });

  it('is not drawn while its node is in a stack, and is when that is opened', () => {
    const drawing = new Drawing(wide(9), { ...DEFAULT_VIEW, hasStacks: true });
    drawing.setParts(new Map([['4', part()]]));
    expect([drawing.structure.count, drawing.frames.size]).toEqual([1, 0]);
    drawing.open(4);
    expect([drawing.structure.count, drawing.frames.size]).toEqual([13, 1]);
    expect(drawing.frames.has(drawing.drawnOf(4))).toBe(true);
  });

  it('has stacks and no values where it is large, whatever the graph around it has', () => {
    const work = Array.from({ length: 1000 }, () => ['work', 'function'] as const);
    const values = Array.from({ length: 1000 }, () => [':parameter:1', 'parameter'] as const);
    const structure = structureFromWire(
      graph(
        [...work, ...values],
        work.map((_, id) => [1000 + id, id, 'x'] as const)
      )
    );
    const drawing = new Drawing(OUTER, DEFAULT_VIEW);
    drawing.setParts(new Map([['0', { structure, states: states(structure) }]]));
    expect(drawing.structure.labels.slice(2)).toEqual(['work ×1000', '1000 values']);
    const layout = arrangeNested(drawing.graph, DEFAULT_VIEW);
    expect([...layout.nodes]).toEqual([0, 2, 1]);
    drawing.open(2 + 7);
    expect(drawing.structure.count).toBe(2 + 1000 + 1);
  });

  it('is searched with the graph around it', () => {
    const drawing = new Drawing(OUTER, DEFAULT_VIEW);
    drawing.setQuery({ text: 'task', status: '', executor: '' });
    expect(drawing.found).toEqual([]);
    drawing.setParts(new Map([['0', part()]]));
    expect(drawing.found).toEqual([2, 3]);
    expect([...(drawing.foundDrawn ?? [])]).toEqual([0, 0, 1, 1, 0, 0]);
  });

  it('is told as unfolded, and its nodes as being in it', () => {
    const drawing = new Drawing(OUTER, DEFAULT_VIEW);
    drawing.setParts(new Map([['0', part()]]));
    expect(describeDrawn(drawing, 0, true, plainTexts)).toContain('Node 0: inner, unfolded');
    expect(describeDrawn(drawing, 3, true, plainTexts)).toContain('Node 1 in inner: task_1');
  });

  it('has a sign at its corner that can be hit while the node is large enough', () => {
    const layout = arrangeNested(new Drawing(OUTER, DEFAULT_VIEW).graph, DEFAULT_VIEW);
    const { x, y } = signOf(layout, 0);
    const camera = { x: 10, y: 20, scale: 2 };
    const at = { x: (x - 10) * 2 + 5, y: (y - 20) * 2 };
    expect(isOnSign(layout, camera, 0, at)).toBe(true);
    expect(isOnSign(layout, camera, 0, { ...at, x: at.x + 30 })).toBe(false);
    expect(isOnSign(layout, { x, y, scale: 0.4 }, 0, { x: 8, y: 0 })).toBe(true); // never tiny
    expect(isOnSign(layout, { x, y, scale: 0.1 }, 0, { x: 0, y: 0 })).toBe(false);
  });

  it('has a path from which its node is known', () => {
    const place = { path: '3/0', node: 12 };
    expect([pathInto(place), placeOfPath('3/0/12')]).toEqual(['3/0/12', place]);
    expect([pathInto({ path: '', node: 3 }), placeOfPath('3')]).toEqual([
      '3',
      { path: '', node: 3 }
    ]);
  });
});

describe('moves of nodes', () => {
  it('add up, and hold for the layout in which they were made', () => {
    let view = { ...DEFAULT_VIEW, ...withMove(DEFAULT_VIEW, '3', [10, 0]) };
    view = { ...view, ...withMove(view, '3', [5, -2]) };
    expect(view.moved).toEqual({ 'layered down': { '3': [15, -2] } });
    expect([hasMoves(view), hasMoves({ ...view, arrangement: 'tree' })]).toEqual([true, false]);
    const other = { ...view, ...withMove({ ...view, arrangement: 'tree' }, '3', [1, 1]) };
    expect(withoutMoves(other).moved).toEqual({ 'tree down': { '3': [1, 1] } });
  });
});

describe('a view that was kept', () => {
  it('is read as it was', () => {
    const view = {
      ...DEFAULT_VIEW,
      orientation: 'left' as const,
      isPretty: true,
      unfolded: ['3/0'],
      moved: { 'tree down': { '3': [1, 2] as const } }
    };
    expect(readView(JSON.parse(JSON.stringify(view)))).toEqual(view);
  });

  it('gives what can be used of it', () => {
    expect(readView(null)).toEqual({});
    expect(readView(['x'])).toEqual({});
    expect(
      readView({
        isPretty: 'yes',
        hasStacks: true,
        arrangement: 'spiral',
        orientation: 7,
        unfolded: ['1', 2],
        moved: { a: { b: [1, null] } },
        more: true
      })
    ).toEqual({ hasStacks: true, unfolded: ['1'] });
  });
});
