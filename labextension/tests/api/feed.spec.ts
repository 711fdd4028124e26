import { beforeEach, describe, expect, it } from 'vitest';

import type { FeedState, IFeedReset, ISocket } from '../../src/api';
import { Feed } from '../../src/api';
import type { FeedItem } from '../../src/contract';
import { item } from '../fakes';

class FakeSocket implements ISocket {
  onopen: ISocket['onopen'] = null;
  onmessage: ISocket['onmessage'] = null;
  onclose: ISocket['onclose'] = null;
  isClosed = false;

  constructor(readonly after: number | null) {}

  say(frame: unknown): void {
    const data = typeof frame === 'string' ? frame : JSON.stringify(frame);
    this.onmessage?.(new MessageEvent('message', { data }));
  }

  drop(): void {
    this.onclose?.(new CloseEvent('close'));
  }

  close(): void {
    this.isClosed = true;
  }
}

describe('Feed', () => {
  let sockets: FakeSocket[];
  let delays: { callback: () => void; milliseconds: number }[];
  let received: FeedItem[];
  let resets: IFeedReset[];
  let states: FeedState[];
  let feed: Feed;
  const last = () => sockets[sockets.length - 1];
  const passDelay = () => delays[delays.length - 1].callback();

  beforeEach(() => {
    sockets = [];
    delays = [];
    received = [];
    resets = [];
    states = [];
    feed = new Feed({
      open: after => {
        sockets.push(new FakeSocket(after));
        return last();
      },
      delay: (callback, milliseconds) => {
        delays.push({ callback, milliseconds });
        return () => undefined;
      }
    });
    feed.transitions.connect((_, items) => void received.push(...items));
    feed.reset.connect((_, reset) => void resets.push(reset));
    feed.stateChanged.connect((_, state) => void states.push(state));
    feed.start();
  });

  it('connects once, without a number to resume after', () => {
    feed.start();
    expect(sockets.map(socket => socket.after)).toEqual([null]);
  });

  it('resumes after the newest transition it has seen', () => {
    last().say({ type: 'hello', seq: 7, version: '0.1.0' });
    last().say({ type: 'transitions', items: [item(8, 'a', 0, 'RUNNING')] });
    last().drop();
    passDelay();
    expect(last().after).toBe(8);
    last().say({ type: 'hello', seq: 9, version: '0.1.0' });
    last().say({
      type: 'transitions',
      items: [item(8, 'a', 0, 'RUNNING'), item(9, 'a', 0, 'COMPLETED')]
    });
    expect(received.map(({ seq }) => seq)).toEqual([8, 9]);
    expect(states).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
  });

  it('tells models on the first hello which snapshots are too old', () => {
    last().say({ type: 'hello', seq: 7, version: '0.1.0' });
    expect(resets).toEqual([{ seq: 7, isForced: false }]);
  });

  it('passes a reset on and resumes from its number', () => {
    last().say({ type: 'hello', seq: 7, version: '0.1.0' });
    last().say({ type: 'reset', seq: 40_000 });
    last().drop();
    passDelay();
    expect(resets[1]).toEqual({ seq: 40_000, isForced: false });
    expect(last().after).toBe(40_000);
  });

  it('forces a reload when the numbers of the server began anew', () => {
    last().say({ type: 'hello', seq: 70, version: '0.1.0' });
    last().drop();
    passDelay();
    last().say({ type: 'hello', seq: 3, version: '0.1.0' });
    expect(resets[1]).toEqual({ seq: 3, isForced: true });
  });

  it('waits longer after each failure, up to a limit, and starts over after a success', () => {
    for (let attempt = 0; attempt < 8; attempt += 1) {
      last().drop();
      passDelay();
    }
    expect(delays.map(({ milliseconds }) => milliseconds)).toEqual([
      500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000
    ]);
    last().say({ type: 'hello', seq: 1, version: '0.1.0' });
    last().drop();
    expect(delays[8].milliseconds).toBe(500);
  });

  it('ignores frames that are none', () => {
    last().say('not json');
    last().say({ type: 'transitions', items: [{ seq: 'x' }] });
    last().say({ type: 'unknown' });
    expect(received).toEqual([]);
  });

  it('opens no socket after it was disposed, twice', () => {
    last().drop();
    feed.dispose();
    feed.dispose();
    feed.start();
    expect(sockets.length).toBe(1);
  });
});
