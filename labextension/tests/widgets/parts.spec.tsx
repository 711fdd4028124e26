import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { plainTexts } from '../../src/graph/style';
import type { Summary } from '../../src/contract';
import { DispatchesModel } from '../../src/model';
import { DispatchList } from '../../src/widgets/dispatches';
import { splitAnsi } from '../../src/widgets/parts/ansi';
import { tokenizePython } from '../../src/widgets/parts/python';
import { FakeFeed, FakeRest, summary } from '../fakes';

afterEach(cleanup);

describe('splitAnsi', () => {
  it('keeps colours and leaves other sequences out', () => {
    expect(splitAnsi('a\x1b[1;31mb\x1b[0mc\x1b[2Kd')).toEqual([
      { text: 'a', className: '' },
      { text: 'b', className: 'ansi-red-fg ansi-bold' },
      { text: 'c', className: '' },
      { text: 'd', className: '' }
    ]);
  });
});

describe('tokenizePython', () => {
  it('loses no character, even of source that is cut off', () => {
    const source = '@ct.electron\ndef f(x):\n    """Doc."""\n    return x + 1.5e3  # ok\n"open';
    const tokens = tokenizePython(source);
    expect(tokens.map(token => token.text).join('')).toBe(source);
    const kindOf = (text: string) => tokens.find(token => token.text === text)?.kind;
    expect(['@ct.electron', 'def', 'f', '1.5e3', '# ok'].map(kindOf)).toEqual([
      'decorator',
      'keyword',
      'definition',
      'number',
      'comment'
    ]);
  });
});

describe('DispatchList', () => {
  async function shown(count: number, change: Partial<Summary> = {}) {
    const rest = new FakeRest();
    rest.page.items = Array.from({ length: count }, (_, index) => summary(`id-${index}`, change));
    rest.page.total = count;
    const model = new DispatchesModel({ rest, feed: new FakeFeed() });
    await model.start();
    const actions = {
      open: vi.fn(),
      cancel: vi.fn(),
      rerun: vi.fn(),
      remove: vi.fn(),
      copyId: vi.fn(),
      openTable: vi.fn()
    };
    render(<DispatchList model={model} texts={plainTexts} actions={actions} />);
    return actions;
  }

  it('says how to begin when there is nothing', async () => {
    await shown(0);
    expect(screen.getByText('No workflows yet')).toBeTruthy();
  });

  it.each([
    ['FAILED', 'Run the rest', true],
    ['COMPLETED', 'Run again', false]
  ] as const)('offers to run what is %s again', async (status, label, reusesResults) => {
    const actions = await shown(1, { status });
    fireEvent.click(screen.getByRole('button', { name: label }));
    expect(actions.rerun).toHaveBeenCalledWith('id-0', reusesResults);
    expect(actions.open).not.toHaveBeenCalled();
  });

  it('does not offer to run again what still runs', async () => {
    await shown(1);
    expect(screen.queryByRole('button', { name: /^Run/ })).toBeNull();
  });

  it('can be used with the keyboard alone', async () => {
    Element.prototype.scrollIntoView = () => undefined;
    const actions = await shown(3);
    const list = screen.getByRole('grid', { name: 'Dispatches' });
    act(() => list.focus());
    fireEvent.keyDown(list, { key: 'ArrowDown' });
    fireEvent.keyDown(list, { key: 'Enter' });
    expect(actions.open).toHaveBeenCalledWith('id-1');
    fireEvent.keyDown(list, { key: 'End' });
    fireEvent.keyDown(list, { key: 'Delete' });
    expect(actions.remove).toHaveBeenCalledWith('id-2');
    expect(within(list).getAllByRole('row')[2].getAttribute('aria-selected')).toBe('true');
  });
});
