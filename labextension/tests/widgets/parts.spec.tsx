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

/** The model has asked, was answered, and the frame with the answer has been drawn. */
async function drawn(action: () => void): Promise<void> {
  await act(async () => {
    action();
    await Promise.resolve();
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
}

describe('DispatchList', () => {
  const rest = new FakeRest();

  async function shown(count: number, change: Partial<Summary> = {}) {
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
    expect(screen.getByText('Run this in a notebook and watch it here:')).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Copy example' })).toBeTruthy();
  });

  it('leads back to all dispatches where none matches', async () => {
    await shown(0);
    await drawn(() => fireEvent.click(screen.getByRole('tab', { name: /Failed/ })));
    expect(screen.getByText('No dispatch matches.')).toBeTruthy();
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Show all dispatches' })));
    expect(rest.queries.at(-1)).toMatchObject({ status: '', search: '' });
    expect(screen.getByText('No workflows yet')).toBeTruthy();
  });

  it('says why it could not be read, and reads it again when asked to', async () => {
    await shown(2);
    rest.error = new Error('The server cannot be reached.');
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Refresh the list' })));
    expect(screen.getByRole('alert').textContent).toContain('The server cannot be reached.');
    expect(screen.getAllByRole('row').length).toBe(2);
    rest.error = null;
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Try again' })));
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('shows for each dispatch its name, id, progress, run time and when it began', async () => {
    const change = { status: 'FAILED', completed: 2, failed: 1, ended_at: 166 } as const;
    await shown(1, { ...change, dispatch_id: 'c64b45f4-f127-451e' });
    const row = screen.getByRole('row');
    for (const text of ['flow id-0', 'c64b45f4', '2/3', '1 m 05 s', 'Jan 01, 1970']) {
      expect(row.textContent).toContain(text);
    }
    expect(within(row).getByRole('img', { name: 'Failed' })).toBeTruthy();
    expect(within(row).getByTitle(/^Started Jan 01, 1970, \d\d:\d\d:\d\d$/)).toBeTruthy();
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
