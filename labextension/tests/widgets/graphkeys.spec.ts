import { beforeEach, expect, it, vi } from 'vitest';

import { statesFromColumns } from '../../src/graph/states';
import { structureFromWire } from '../../src/graph/structure';
import { plainTexts } from '../../src/graph/style';
import { GraphCanvas } from '../../src/widgets/dagview/canvas';
import { chain, columns } from '../fakes';

const KEYS = ['f', 'Enter', 'Tab', '0', '+', '-', 'ArrowUp', 'Escape'];
const onSelect = vi.fn();
const onOpen = vi.fn();

beforeEach(() => {
  vi.clearAllMocks();
  HTMLCanvasElement.prototype.getContext = (() => null) as never;
});

it('keys do nothing before the graph is there, and F finds the failed node afterwards', () => {
  const canvas = new GraphCanvas({ host: document.body, texts: plainTexts, onSelect, onOpen });
  const target = canvas.node.querySelector('canvas');
  const press = (key: string) =>
    target?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  KEYS.forEach(press);
  expect([canvas.selected, onSelect.mock.calls.flat().filter(id => id !== null)]).toEqual([
    null,
    []
  ]);
  expect(onOpen).not.toHaveBeenCalled();

  const structure = structureFromWire(chain(3));
  canvas.setStructure(structure, true);
  press('f');
  expect(canvas.selected).toBeNull();
  canvas.setStates(statesFromColumns(structure, columns(1, [[2, 'FAILED']])));
  press('f');
  expect(canvas.selected?.nodes).toEqual([2]);
  expect(onSelect).toHaveBeenLastCalledWith(2, '');
  canvas.dispose();
});
