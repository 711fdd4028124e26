import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { plainTexts } from '../../src/graph/style';
import { DispatchesModel, OverviewModel } from '../../src/model';
import { TableView } from '../../src/widgets/dispatches/table';
import { FakeFeed, FakeRest, summary } from '../fakes';

const LONG = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';

let rest: FakeRest;
let model: DispatchesModel;
let overview: OverviewModel;
const open = vi.fn();
const remove = vi.fn(() => Promise.resolve());
const compare = vi.fn();
const removeMatching = vi.fn(() => Promise.resolve());

async function show(): Promise<void> {
  const feed = new FakeFeed();
  model = new DispatchesModel({ rest, feed, pageSize: 10, isPaged: true });
  overview = new OverviewModel({ rest, feed });
  await Promise.all([model.start(), overview.load()]);
  const props = { model, overview, texts: plainTexts, open, remove, compare, removeMatching };
  render(<TableView {...props} />);
}

/** The model has asked, was answered, and the frame with the answer has been drawn. */
async function drawn(action: () => void): Promise<void> {
  await act(async () => {
    action();
    await Promise.resolve();
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
}

beforeEach(() => {
  vi.clearAllMocks();
  rest = new FakeRest();
  rest.page.items = [
    summary(LONG, { name: 'fit', status: 'COMPLETED', completed: 3, ended_at: 104 }),
    ...Array.from({ length: 11 }, (_, i) => summary(`d${i}`, { status: 'FAILED', ended_at: 200 }))
  ];
  rest.page.total = 12;
  rest.page.counts = { COMPLETED: 1, FAILED: 11 };
  rest.figures = {
    total: 13,
    counts: { COMPLETED: 1, FAILED: 11, RUNNING: 1 },
    latest: summary('newest', { name: 'the newest' }),
    runtime_s: 125,
    seq: 0
  };
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

describe('TableView', () => {
  it('shows ten dispatches a page, with times, and goes to the next page', async () => {
    await show();
    const rows = screen.getAllByRole('row');
    expect(rows.length).toBe(11);
    expect(rows[1].textContent).toContain('3.0 s');
    expect(rows[1].textContent).toContain('3/3');
    expect(within(rows[1]).getByTitle(LONG)).toBeTruthy();
    expect(within(rows[1]).getByRole('button', { name: 'Copy id' })).toBeTruthy();
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Next page' })));
    expect(screen.getAllByRole('row').length).toBe(3);
    expect(rest.queries.at(-1)).toMatchObject({ offset: 10, count: 10 });
    expect(screen.getByText('Page 2 of 2')).toBeTruthy();
  });

  it('shows when a dispatch began and ended, and a dash where it has not', async () => {
    rest.page.items = [
      summary('waits', { status: 'NEW_OBJECT', started_at: null }),
      summary('ran', { started_at: 1_700_000_000, ended_at: 1_700_000_061, status: 'COMPLETED' })
    ];
    await show();
    const [waits, ran] = screen
      .getAllByRole('row')
      .slice(1)
      .map(row => within(row).getAllByRole('cell').slice(3, 6));
    expect(waits.map(cell => cell.textContent)).toEqual(['-', '-', '-']);
    expect(ran[0].textContent).toBe('1 m 01 s');
    expect(ran[1].textContent).toMatch(/^Nov 1[45], 2023, \d\d:\d\d:20$/);
    expect(within(ran[2]).getByTitle('2023-11-14T22:14:21.000Z')).toBeTruthy();
  });

  it('counts the run time of what runs', async () => {
    vi.useFakeTimers({ now: 200_000, toFake: ['Date', 'setInterval', 'clearInterval'] });
    rest.page.items = [summary('runs', { started_at: 140 })];
    await show();
    const [, row] = screen.getAllByRole('row');
    expect(row.textContent).toContain('1 m 00 s');
    act(() => void vi.advanceTimersByTime(3000));
    expect(row.textContent).toContain('1 m 03 s');
  });

  it('shows the figures of all dispatches, and a card filters', async () => {
    await show();
    expect(screen.getByRole('button', { name: 'Dispatches: 13' })).toBeTruthy();
    expect(screen.getByRole('group', { name: 'Most recent' }).textContent).toContain('the newest');
    expect(screen.getByRole('group', { name: 'Total run time' }).textContent).toContain('2 m 05 s');
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Failed: 11' })));
    expect(rest.queries.at(-1)).toMatchObject({ status: 'FAILED', offset: 0 });
  });

  it('sorts by each column in both directions, and says how', async () => {
    await show();
    const header = () => screen.getByRole('columnheader', { name: /Run time/ });
    await drawn(() => fireEvent.click(within(header()).getByRole('button')));
    expect(rest.queries.at(-1)).toMatchObject({ sort: 'runtime', direction: 'desc' });
    expect(header().getAttribute('aria-sort')).toBe('descending');
    await drawn(() => fireEvent.click(within(header()).getByRole('button')));
    expect(rest.queries.at(-1)).toMatchObject({ sort: 'runtime', direction: 'asc' });
    for (const [name, sort] of [
      ['Id', 'id'],
      ['Workflow', 'name'],
      ['Started', 'started_at'],
      ['Ended', 'ended_at'],
      ['Status', 'status']
    ]) {
      await drawn(() => fireEvent.click(screen.getByRole('button', { name })));
      expect(rest.queries.at(-1)).toMatchObject({ sort });
    }
  });

  it('deletes what is selected, and keeps the selection if that was refused', async () => {
    await show();
    const button = screen.getByRole('button', { name: /Delete selected/ });
    expect(button).toHaveProperty('disabled', true);
    fireEvent.click(screen.getByRole('checkbox', { name: 'Select fit' }));
    await drawn(() => fireEvent.click(button));
    expect(remove).toHaveBeenCalledWith([LONG]);
    expect(screen.getByRole('checkbox', { name: 'Select fit' })).toHaveProperty('checked', true);
    rest.page.items = rest.page.items.slice(1);
    await drawn(() => void model.refresh());
    expect(button).toHaveProperty('disabled', true);
    fireEvent.click(screen.getByRole('checkbox', { name: 'Select all on this page' }));
    await drawn(() => fireEvent.click(button));
    expect(remove).toHaveBeenLastCalledWith(model.items.map(item => item.dispatch_id));
  });

  it('compares two that are selected, neither fewer nor more, the older on the left', async () => {
    rest.page.items[0] = { ...rest.page.items[0], created_at: 150 };
    await show();
    const button = screen.getByRole('button', { name: 'Compare selected' });
    expect(button).toHaveProperty('disabled', true);
    const boxes = screen.getAllByRole('checkbox', { name: /^Select (fit|flow)/ });
    fireEvent.click(boxes[0]);
    expect(button).toHaveProperty('disabled', true);
    fireEvent.click(boxes[1]);
    fireEvent.click(button);
    expect(compare).toHaveBeenCalledWith(['d0', LONG]);
    fireEvent.click(boxes[2]);
    expect(button).toHaveProperty('disabled', true);
  });

  it('deletes all that the filter shows, on whatever page', async () => {
    await show();
    await drawn(() => fireEvent.click(screen.getByRole('tab', { name: /Failed/ })));
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: /that match/ })));
    expect(removeMatching).toHaveBeenCalledWith({ search: '', statuses: ['FAILED'] }, 12);
  });

  it('says why it could not be read, and reads it again when asked to', async () => {
    rest.error = new Error('The server cannot be reached.');
    await show();
    expect(screen.getByRole('alert').textContent).toContain('The server cannot be reached.');
    rest.error = null;
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Try again' })));
    expect([screen.queryByRole('alert'), screen.getAllByRole('row').length]).toEqual([null, 11]);
  });

  it('says how to begin when there is nothing, and leads on where nothing matches', async () => {
    rest.page = { items: [], total: 0, counts: {}, seq: 0 };
    await show();
    expect(screen.getByText('Run this in a notebook and watch it here:')).toBeTruthy();
    await drawn(() => fireEvent.click(screen.getByRole('tab', { name: /Cancelled/ })));
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Show all dispatches' })));
    expect(screen.getByText('No workflows yet')).toBeTruthy();
  });

  it('opens a dispatch by its name', async () => {
    await show();
    fireEvent.click(screen.getByRole('button', { name: 'fit' }));
    expect(open).toHaveBeenCalledWith(LONG);
  });

  it('searches from three characters on, and says so before', async () => {
    vi.useFakeTimers();
    await show();
    const asked = rest.queries.length;
    const box = screen.getByRole('searchbox');
    fireEvent.change(box, { target: { value: 'fi' } });
    await vi.advanceTimersByTimeAsync(1000);
    expect(rest.queries.length).toBe(asked);
    expect(screen.getByText('Type 3 characters or more.')).toBeTruthy();
    fireEvent.change(box, { target: { value: 'fit' } });
    await vi.advanceTimersByTimeAsync(1000);
    expect(rest.queries.at(-1)).toMatchObject({ search: 'fit' });
  });
});
