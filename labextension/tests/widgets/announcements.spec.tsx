/** What screen readers are told as it happens: once, and only what is new. */

import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { DispatchStatus } from '../../src/contract';
import { plainTexts } from '../../src/graph/style';
import { DispatchesModel, DispatchModel } from '../../src/model';
import { SearchBox } from '../../src/widgets/dispatches/filters';
import { Header } from '../../src/widgets/dispatch/header';
import { FakeFeed, FakeRest, detail, item, viewActions } from '../fakes';

let rest: FakeRest;
let feed: FakeFeed;

beforeEach(() => {
  rest = new FakeRest();
  feed = new FakeFeed();
});

afterEach(cleanup);

/** What live regions said while something happened, in order. */
async function said(happen: () => unknown): Promise<string[]> {
  const texts: string[] = [];
  const observer = new MutationObserver(changes => {
    for (const { target } of changes) {
      const element = target instanceof Element ? target : target.parentElement;
      const region = element?.closest('[role=status], [role=alert], [aria-live]');
      texts.push(region?.textContent ?? '');
    }
  });
  observer.observe(document.body, { childList: true, characterData: true, subtree: true });
  await act(async () => {
    await happen();
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
  observer.disconnect();
  return texts.filter(text => text !== '');
}

describe('The head of a dispatch', () => {
  async function shown(status: DispatchStatus): Promise<void> {
    rest.detail = async () => detail('a', { name: 'fit', status });
    const model = new DispatchModel({ rest, feed, dispatchId: 'a' });
    await model.load();
    render(<Header model={model} texts={plainTexts} actions={viewActions()} />);
  }

  it('tells once that a dispatch has ended', async () => {
    await shown('RUNNING');
    expect(await said(() => feed.transitions.emit([item(21, 'a', 0, 'COMPLETED')]))).toEqual([]);
    rest.detail = async () => detail('a', { name: 'fit', status: 'COMPLETED' });
    const ended = item(22, 'a', null, 'COMPLETED');
    expect(await said(() => feed.transitions.emit([ended]))).toEqual(['fit: Completed']);
    expect(await said(() => feed.transitions.emit([ended]))).toEqual([]);
  });

  it('leaves failures to the error, which is an alert', async () => {
    await shown('RUNNING');
    rest.detail = async () => detail('a', { name: 'fit', status: 'FAILED', error: 'It broke.' });
    await said(() => feed.transitions.emit([item(22, 'a', null, 'FAILED')]));
    expect(screen.getByRole('alert').textContent).toContain('It broke.');
    expect(screen.getByRole('status').textContent).toBe('');
  });

  it('says nothing of a dispatch that was over when it was opened', async () => {
    await shown('COMPLETED');
    expect(screen.getByRole('status').textContent).toBe('');
  });
});

describe('A search', () => {
  it('tells how much was found, once', async () => {
    rest.page.total = 12;
    const model = new DispatchesModel({ rest, feed });
    await model.start();
    const box = () => <SearchBox model={model} texts={plainTexts} />;
    const { rerender } = render(box());
    const shown = async (change: Promise<void>) => {
      rerender(box()); // while it is asked for
      await change;
      rerender(box());
    };
    rest.page.total = 3;
    expect(await said(() => shown(model.show({ search: 'fit' })))).toEqual(['3 found']);
    expect(await said(() => shown(model.refresh()))).toEqual([]);
    await said(() => shown(model.show({ search: '' })));
    expect(screen.getAllByRole('status').map(({ textContent }) => textContent)).toEqual(['', '']);
  });
});
