import { describe, expect, it } from 'vitest';

import { arrangeGraph } from '../../src/graph/arrange';
import { COMPLETED, RUNNING, statesFromColumns } from '../../src/graph/states';
import { structureFromWire } from '../../src/graph/structure';
import { plainTexts } from '../../src/graph/style';
import { Drawing } from '../../src/widgets/dagview/drawing';
import type { IScene } from '../../src/widgets/dagview/scene';
import { describeDrawn, titleOf } from '../../src/widgets/dagview/speech';
import { stackText } from '../../src/widgets/dagview/stackcard';
import { svgOf } from '../../src/widgets/dagview/svg';
import { TextFitter } from '../../src/widgets/dagview/text';
import { DEFAULT_VIEW, initialView } from '../../src/widgets/dagview/view';
import { chain, columns, graph, PALETTE } from '../fakes';

/** A split, ten equal tasks, a join. */
const wire = graph(
  [
    ['split', 'function'],
    ...Array.from({ length: 10 }, () => ['work', 'function'] as const),
    ['join & <end>', 'function']
  ],
  Array.from({ length: 10 }, (_, index) => index + 1).flatMap(id => [
    [0, id, 'x'] as const,
    [id, 11, 'xs'] as const
  ])
);
const structure = structureFromWire(wire);
const STACKED = { ...DEFAULT_VIEW, hasStacks: true };

describe('Drawing', () => {
  it('draws nodes as they are without stacks', () => {
    const drawing = new Drawing(structure, DEFAULT_VIEW);
    expect(drawing.structure).toBe(structure);
    expect([drawing.drawnOf(5), drawing.nodeOf(5), drawing.counts]).toEqual([5, 5, null]);
  });

  it('translates between nodes and stacks, and opens a stack by one of its nodes', () => {
    const drawing = new Drawing(structure, STACKED);
    expect(drawing.structure.labels).toEqual(['split', 'work ×10', 'join & <end>']);
    expect([drawing.drawnOf(7), drawing.nodeOf(1), drawing.membersOf(1).length]).toEqual([
      1,
      null,
      10
    ]);
    drawing.open(7);
    expect(drawing.structure.count).toBe(12);
    expect(drawing.nodeOf(drawing.drawnOf(7))).toBe(7);
    drawing.configure(DEFAULT_VIEW);
    drawing.configure(STACKED);
    expect(drawing.structure.count).toBe(3);
  });

  it('counts states, and finds nodes inside of stacks, also of later states', () => {
    const drawing = new Drawing(structure, STACKED);
    drawing.setQuery({ text: '', status: 'RUNNING', executor: '' });
    expect([...(drawing.foundDrawn ?? [])]).toEqual([0, 0, 0]);
    drawing.setStates(
      statesFromColumns(
        structure,
        columns(1, [
          [0, 'COMPLETED'],
          [3, 'RUNNING'],
          [4, 'COMPLETED']
        ])
      )
    );
    expect([...(drawing.foundDrawn ?? [])]).toEqual([0, 1, 0]);
    expect(drawing.found).toEqual([3]);
    expect([drawing.states.status[0], drawing.states.status[1]]).toEqual([COMPLETED, RUNNING]);
    expect(stackText(drawing.counts?.get(1) ?? new Map(), plainTexts)).toBe('1/10');
    drawing.setQuery({ text: '', status: '', executor: '' });
    expect(drawing.found).toBeNull();
  });

  it('writes labels in words and keeps the names', () => {
    const drawing = new Drawing(structureFromWire(chain(1)), { ...DEFAULT_VIEW, isPretty: true });
    expect(drawing.structure.labels[0]).toBe('Task 0');
    expect(drawing.structure.names[0]).toBe('task_0');
  });

  it('describes nodes and stacks to those who do not see them', () => {
    const drawing = new Drawing(structure, STACKED);
    drawing.setStates(statesFromColumns(structure, columns(1, [[3, 'FAILED']])));
    expect(describeDrawn(drawing, 1, true, plainTexts)).toBe(
      'Stack of 10 nodes: work ×10, 1 Failed, 9 Pending'
    );
    expect(describeDrawn(drawing, 2, true, plainTexts)).toBe('Node 11: join & <end>, Pending');
    expect(describeDrawn(drawing, 2, false, plainTexts)).toBe('Node 11: join & <end>');
    expect(titleOf(drawing, 2, plainTexts)).toBe('join & <end>\nNode 11 on local');
  });
});

describe('initialView', () => {
  it('stacks nodes and hides parameters of large graphs only', () => {
    expect(initialView({ count: 100, parameterCount: 20 })).toEqual({ hasStacks: false });
    expect(initialView({ count: 1500, parameterCount: 600 })).toEqual({
      hasStacks: true,
      showParameters: false
    });
  });
});

describe('svgOf', () => {
  function sceneOf(view: typeof DEFAULT_VIEW, arrangement: 'layered' | 'force'): IScene {
    const drawing = new Drawing(structure, view);
    drawing.setStates(statesFromColumns(structure, columns(1, [[0, 'COMPLETED']])));
    return {
      structure: drawing.structure,
      layout: arrangeGraph(drawing.structure, { ...view, arrangement }),
      states: drawing.states,
      counts: drawing.counts,
      marks: null,
      found: null,
      nodeOf: id => drawing.nodeOf(id),
      frames: drawing.frames,
      foldable: new Map(),
      camera: { x: 0, y: 0, scale: 1 },
      size: { width: 100, height: 100 },
      palette: PALETTE,
      texts: plainTexts,
      fitter: new TextFitter(),
      selected: -1,
      hovered: -1,
      showEdgeLabels: true,
      isLive: true,
      isMoving: false,
      hasMotion: false,
      now: 200
    };
  }

  it.each(['layered', 'force'] as const)(
    'is a well-formed document with every node of %s',
    name => {
      const svg = svgOf(sceneOf(DEFAULT_VIEW, name));
      const document = new DOMParser().parseFromString(svg, 'image/svg+xml');
      expect(document.querySelector('parsererror')).toBeNull();
      expect([...document.querySelectorAll('g > title')].map(title => title.textContent)).toEqual(
        expect.arrayContaining([...structure.names])
      );
      expect(svg).not.toContain('NaN');
    }
  );

  it('shows what is different from another graph', () => {
    const scene = sceneOf(DEFAULT_VIEW, 'layered');
    expect(svgOf(scene)).not.toContain('<circle');
    const svg = svgOf({ ...scene, marks: new Map([[3, 'added'] as const]) });
    expect(svg.match(/<circle/g)).toHaveLength(1);
    expect(svg).toContain('stroke-dasharray');
    expect(svg).toContain('>+<');
  });

  it('shows stacks with what is done of them', () => {
    const svg = svgOf(sceneOf(STACKED, 'layered'));
    expect(svg).toContain('work ×10');
    expect(svg).toContain('0/10');
    expect(svg).toContain('Completed');
  });
});
