import { afterEach, describe, expect, it, vi } from 'vitest';

import { COMPLETED, FAILED } from '../../src/graph/states';
import { plainTexts } from '../../src/graph/style';
import type { GraphCanvas, ISelected } from '../../src/widgets/dagview/canvas';
import { SelectionBar } from '../../src/widgets/dagview/selectionbar';

const NODE: ISelected = {
  label: 'inner',
  nodes: [3],
  counts: null,
  part: 'part-1',
  path: '',
  isUnfolded: null
};
const STACK: ISelected = {
  label: 'work ×9',
  nodes: [1, 2, 3, 4, 5, 6, 7, 8, 9],
  counts: new Map([
    [FAILED, 2],
    [COMPLETED, 7]
  ]),
  part: null,
  path: '',
  isUnfolded: null
};

/** The bar while this is selected, and what was asked of those around it. */
function shown(selected: ISelected | null) {
  const asked = { openStack: vi.fn(), toggleFold: vi.fn(), onOpen: vi.fn(), copied: vi.fn() };
  vi.stubGlobal('navigator', { clipboard: { writeText: asked.copied } });
  const graph = { selected, ...asked } as unknown as GraphCanvas;
  const bar = new SelectionBar({ graph, texts: plainTexts, onOpen: asked.onOpen });
  const buttons = [...bar.node.querySelectorAll('button')].filter(button => !button.hidden);
  return { bar, asked, buttons };
}

afterEach(() => vi.unstubAllGlobals());

describe('SelectionBar', () => {
  it('opens a sublattice, and copies its dispatch id', () => {
    const { asked, buttons } = shown(NODE);
    expect(buttons.map(button => button.textContent)).toEqual([
      'Open sublattice',
      'Copy dispatch id'
    ]);
    buttons.forEach(button => button.click());
    expect(asked.onOpen).toHaveBeenCalledWith('part-1');
    expect(asked.copied).toHaveBeenCalledWith('part-1');
  });

  it.each([
    [false, 'Unfold here (U)'],
    [true, 'Fold (U)']
  ])('folds and unfolds a sublattice where that can be (%s)', (isUnfolded, label) => {
    const { asked, buttons } = shown({ ...NODE, isUnfolded });
    expect(buttons[0].textContent).toBe(label);
    buttons[0].click();
    expect(asked.toggleFold).toHaveBeenCalledOnce();
  });

  it('tells how the nodes of a stack stand, and shows them', () => {
    const { bar, asked, buttons } = shown(STACK);
    expect(bar.node.textContent).toContain('work ×9 · 2 Failed · 7 Completed');
    expect(buttons.map(button => button.textContent)).toEqual(['Show its nodes']);
    buttons[0].click();
    expect(asked.openStack).toHaveBeenCalledOnce();
  });

  it('is away where there is nothing to do', () => {
    expect(shown({ ...NODE, part: null }).bar.node.hidden).toBe(true);
    expect(shown(null).bar.node.hidden).toBe(true);
  });
});
