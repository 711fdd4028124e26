import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { ILatticeBundle } from '../../src/contract';
import { plainTexts } from '../../src/graph/style';
import { DispatchModel } from '../../src/model';
import { DispatchCard } from '../../src/widgets/card';
import { chain, columns, detail, FakeFeed, FakeRest, item } from '../fakes';

const RESULT = { digest: 'd'.repeat(40), size: 9, type: 'int', text: '42', rich: [] };

let rest: FakeRest;
let feed: FakeFeed;
let host: HTMLElement;
let card: DispatchCard;

/** An output whose dispatch is `a`, as it was saved when the dispatch began. */
async function open(): Promise<void> {
  const saved: ILatticeBundle = {
    version: 1,
    name: 'saved name',
    dispatch_id: 'a',
    graph: rest.wire,
    nodes: columns(0)
  };
  const model = new DispatchModel({ rest, feed, dispatchId: 'a' });
  card = new DispatchCard({ host, saved, model, texts: plainTexts, height: 200 });
  await settle();
}

const settle = () => new Promise(resolve => setTimeout(resolve));
const tail = () => host.querySelector<HTMLElement>('.cvl-Card-tail')!;
const button = (name: string) =>
  [...host.querySelectorAll('button')].find(found => found.textContent === name)!;

beforeEach(() => {
  HTMLCanvasElement.prototype.getContext = (() => null) as never;
  rest = new FakeRest();
  feed = new FakeFeed();
  host = document.createElement('div');
  document.body.append(host);
});

afterEach(() => {
  card.dispose();
  host.remove();
});

describe('DispatchCard', () => {
  it('shows how a running dispatch stands, and lets it be cancelled and opened', async () => {
    rest.details.set('a', detail('a', { completed: 1 }));
    await open();
    expect(host.querySelector('.cvl-Badge')?.textContent).toBe('Running');
    expect(host.querySelector('.cvl-Embed-count')?.textContent).toBe('1/3');
    expect([button('Cancel').hidden, button('Open in Covalent panel').hidden]).toEqual([
      false,
      false
    ]);
    expect([tail().hidden, card.isLive]).toEqual([true, true]);
  });

  it('shows the result when the feed tells the end', async () => {
    rest.details.set('a', detail('a'));
    await open();
    rest.details.set('a', detail('a', { status: 'COMPLETED', completed: 3, result: RESULT }));
    feed.transitions.emit([item(7, 'a', null, 'COMPLETED')]);
    await settle();
    expect(tail().textContent).toBe('Result42');
    expect(button('Cancel').hidden).toBe(true);
    expect(host.querySelector('.cvl-Badge')?.textContent).toBe('Completed');
  });

  it('shows a picture in place of the text of a result that has one', async () => {
    rest.preview = async () => ({ ...RESULT, rich: { 'image/png': 'AAAA' } });
    const result = { ...RESULT, rich: ['image/png'] };
    rest.details.set('a', detail('a', { status: 'COMPLETED', result }));
    await open();
    expect(tail().querySelector('img')?.src).toBe('data:image/png;base64,AAAA');
  });

  it('keeps the text where the picture cannot be read', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const result = { ...RESULT, rich: ['image/png'] };
    rest.details.set('a', detail('a', { status: 'COMPLETED', result }));
    await open();
    expect([tail().textContent, warn.mock.calls.length]).toEqual(['Result42', 1]);
    warn.mockRestore();
  });

  it('shows a table in a frame that runs nothing', async () => {
    rest.preview = async () => ({ ...RESULT, rich: { 'text/html': '<table></table>' } });
    const result = { ...RESULT, rich: ['text/html'] };
    rest.details.set('a', detail('a', { status: 'COMPLETED', result }));
    await open();
    const frame = tail().querySelector('iframe')!;
    expect([frame.getAttribute('sandbox'), frame.srcdoc.endsWith('<table></table>')]).toEqual([
      '',
      true
    ]);
    expect(tail().textContent).toBe('Result');
  });

  it('leaves the result to the notebook once that shows it, but not an error', async () => {
    rest.details.set('a', detail('a', { status: 'COMPLETED', completed: 3, result: RESULT }));
    await open();
    expect(tail().textContent).toBe('Result42');
    card.setDelivered(true);
    expect(tail().hidden).toBe(true);
    rest.details.set('a', detail('a', { status: 'FAILED', error: 'ValueError: no' }));
    feed.transitions.emit([item(9, 'a', null, 'FAILED')]);
    await settle();
    expect(tail().textContent).toBe('ErrorValueError: no');
  });

  it('takes no more height than a small graph needs', async () => {
    rest.details.set('a', detail('a'));
    rest.wire = chain(1);
    await open();
    const height = host.querySelector<HTMLElement>('.cvl-Embed-body')!.style.height;
    expect(parseInt(height)).toBeLessThan(200);
  });

  it('shows the first line of an error, as text', async () => {
    const error = 'ValueError: <b>no</b>\nTraceback';
    rest.details.set('a', detail('a', { status: 'FAILED', error }));
    await open();
    expect(tail().textContent).toBe('ErrorValueError: <b>no</b>');
    expect(tail().querySelector('b')).toBeNull();
  });

  it('asks to cancel once, and tells when that is refused', async () => {
    rest.details.set('a', detail('a'));
    await open();
    rest.cancel = vi.fn().mockRejectedValueOnce(new Error('no server'));
    button('Cancel').click();
    expect([button('Cancel').disabled, tail().textContent]).toEqual([true, 'Cancelling…']);
    await settle();
    expect([button('Cancel').disabled, tail().textContent]).toEqual([false, 'no server']);
    expect(rest.cancel).toHaveBeenCalledTimes(1);
  });

  it('shows what was saved where the server does not know the dispatch', async () => {
    await open();
    expect(host.querySelector('.cvl-Embed-name')?.textContent).toBe('saved name');
    expect(tail().textContent).toBe('Shown as it was saved: There is no dispatch a.');
    expect([button('Cancel').hidden, card.isLive]).toEqual([true, false]);
  });

  it('says that a dispatch was deleted', async () => {
    rest.details.set('a', detail('a'));
    await open();
    feed.transitions.emit([item(8, 'a', null, 'DELETED')]);
    expect(tail().textContent).toBe('This dispatch was deleted.');
    expect(button('Open in Covalent panel').hidden).toBe(true);
  });

  it('asks nobody for a graph that was only drawn', () => {
    const saved = { version: 1, name: 'drawn', dispatch_id: null, graph: rest.wire } as const;
    card = new DispatchCard({ host, saved, model: null, texts: plainTexts, height: 200 });
    expect(host.querySelector('.cvl-Embed-name')?.textContent).toBe('drawn');
    expect(host.querySelector('.cvl-Card-cancel')).toBeNull();
  });

  it('lets go of everything when its output is removed', async () => {
    rest.details.set('a', detail('a'));
    await open();
    card.dispose();
    feed.transitions.emit([item(9, 'a', null, 'COMPLETED')]);
    expect(host.childElementCount).toBe(0);
    card.dispose();
  });
});
