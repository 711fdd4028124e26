import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { ApiError } from '../../src/api';
import { plainTexts } from '../../src/graph/style';
import { DispatchModel } from '../../src/model';
import { DispatchView } from '../../src/widgets/dispatch';
import { Absent } from '../../src/widgets/dispatch/absent';
import { detail, FakeFeed, FakeRest, viewActions } from '../fakes';

const MISSING = new ApiError('no such dispatch', 'unknown_dispatch', 404);
const AWAY = new ApiError(
  'The server cannot be reached. Check that Jupyter runs.',
  'unreachable',
  0
);

let rest: FakeRest;
let model: DispatchModel;
const showList = vi.fn();

function refuse(reason: Error): void {
  rest.detail = () => Promise.reject(reason);
}

async function shown(reason: Error): Promise<void> {
  refuse(reason);
  await model.load();
  render(<Absent model={model} texts={plainTexts} showList={showList} />);
}

async function click(name: string): Promise<void> {
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name }));
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
}

beforeEach(() => {
  vi.clearAllMocks();
  rest = new FakeRest();
  model = new DispatchModel({ rest, feed: new FakeFeed(), dispatchId: 'gone' });
});

afterEach(cleanup);

it('a dispatch that is not there says what may have happened, and leads to the list', async () => {
  await shown(MISSING);
  expect(screen.getByRole('alert').textContent).toBe('There is no such dispatch');
  expect(screen.getByText('gone')).toBeTruthy();
  expect(screen.getAllByRole('listitem')[0].textContent).toContain('deleted');
  await click('Show all dispatches');
  expect(showList).toHaveBeenCalledOnce();
});

it('it is searched again when asked to, which is told, and shown once it is there', async () => {
  await shown(MISSING);
  await click('Search again');
  expect(screen.getByRole('status').textContent).toMatch(/^Tried again: \w{3} \d\d, /);
  rest.detail = async () => detail('gone');
  await click('Search again');
  expect([model.error, screen.queryByRole('button')]).toEqual(['', null]);
});

it('any other failure says why, and tries again', async () => {
  await shown(AWAY);
  expect(screen.getByRole('alert').textContent).toContain('Check that Jupyter runs.');
  refuse(MISSING);
  await click('Try again');
  expect(screen.getByRole('alert').textContent).toBe('There is no such dispatch');
});

it('takes the place of head, graph and panel, which come back with the dispatch', async () => {
  HTMLCanvasElement.prototype.getContext = (() => null) as never;
  refuse(MISSING);
  const view = new DispatchView({
    model,
    texts: plainTexts,
    view: {},
    createDispatch: () => model,
    keptView: () => null,
    keepView: () => undefined,
    actions: viewActions({ showList })
  });
  const hidden = () => [...(view.layout ?? [])].map(widget => widget.isHidden);
  expect(hidden()).toEqual([false, false, true]);
  await model.load();
  expect(hidden()).toEqual([true, true, false]);
  rest.detail = async () => detail('gone');
  await model.load();
  expect(hidden()).toEqual([false, false, true]);
  view.dispose();
});
