import { describe, expect, it } from 'vitest';

import { statesFromColumns, statusName } from '../../src/graph/states';
import { nodeWord, plainTexts } from '../../src/graph/style';
import { structureFromWire } from '../../src/graph/structure';
import type { IDispatchState, IListFilter, IListState } from '../../src/model';
import { reduceDispatch, reduceList } from '../../src/model';
import { chain, detail, item, summary } from '../fakes';

const structure = structureFromWire(chain(2));

function dispatchState(seq = 10): IDispatchState {
  return { seq, detail: detail('a'), nodes: statesFromColumns(structure, null), isDeleted: false };
}

describe('reduceDispatch', () => {
  it('ignores what the snapshot already knows, and other dispatches', () => {
    const state = dispatchState();
    const items = [item(9, 'a', 0, 'RUNNING'), item(11, 'b', 0, 'RUNNING')];
    expect(reduceDispatch(state, items)).toBe(state);
  });

  it('follows a node and leaves the given state as it was', () => {
    const state = dispatchState();
    const running = reduceDispatch(state, [
      item(11, 'a', 0, 'STARTING'),
      item(12, 'a', 0, 'RUNNING')
    ]);
    const done = reduceDispatch(running, [item(13, 'a', 0, 'COMPLETED')]);
    expect(statusName(state.nodes.status[0])).toBe('NEW_OBJECT');
    expect(statusName(running.nodes.status[0])).toBe('RUNNING');
    expect(running.nodes.startedAt[0]).toBe(112);
    expect(statusName(done.nodes.status[0])).toBe('COMPLETED');
    expect(done.nodes.endedAt[0]).toBe(113);
    expect(done.detail.completed).toBe(1);
    expect(done.seq).toBe(13);
  });

  it('learns from an end when it began, where nothing told that before', () => {
    const done = reduceDispatch(dispatchState(), [
      item(11, 'a', 0, 'STARTING'),
      item(12, 'a', 0, 'COMPLETED', { started_at: 111.5 })
    ]);
    expect([done.nodes.startedAt[0], done.nodes.endedAt[0]]).toEqual([111.5, 112]);
  });

  it('takes a failure back when the node is tried again', () => {
    const failed = reduceDispatch(dispatchState(), [item(11, 'a', 1, 'FAILED')]);
    const again = reduceDispatch(failed, [item(12, 'a', 1, 'RUNNING', { attempt: 2 })]);
    expect(failed.detail.failed).toBe(1);
    expect(again.detail.failed).toBe(0);
  });

  it('ends with time and error, and knows its tombstone', () => {
    const failed = reduceDispatch(dispatchState(), [
      item(11, 'a', null, 'FAILED', { error: 'why' })
    ]);
    expect(failed.detail).toMatchObject({ status: 'FAILED', ended_at: 111, error: 'why' });
    expect(reduceDispatch(failed, [item(12, 'a', null, 'DELETED')]).isDeleted).toBe(true);
  });

  it('knows what a node became, and keeps its clock running', () => {
    const state = dispatchState();
    const inner = reduceDispatch(state, [
      item(11, 'a', 0, 'RUNNING'),
      item(12, 'a', 0, 'DISPATCHING', { sub_dispatch_id: 'inner' })
    ]);
    expect(statusName(inner.nodes.status[0])).toBe('DISPATCHING');
    expect(inner.nodes.startedAt[0]).toBe(111);
    expect([state.nodes.parts.size, inner.nodes.parts.get(0)]).toEqual([0, 'inner']);
    const done = reduceDispatch(inner, [item(13, 'a', 0, 'COMPLETED')]);
    expect([done.detail.completed, done.nodes.parts.get(0)]).toEqual([1, 'inner']);
  });

  it('keeps an attempt that another one follows, as far as its start is known', () => {
    const state = dispatchState();
    const again = { attempt: 2, error: 'lost' };
    const next = reduceDispatch(state, [
      item(11, 'a', 0, 'STARTING', { attempt: 1 }),
      item(12, 'a', 0, 'RUNNING', { attempt: 1 }),
      item(13, 'a', 0, 'STARTING', again),
      item(14, 'a', 0, 'STARTING', { attempt: 3, error: 'no', started_at: 113.5 }),
      item(15, 'a', 1, 'STARTING', again)
    ]);
    expect([...next.nodes.earlier]).toEqual([
      [
        0,
        [
          { startedAt: 112, endedAt: 113, error: 'lost' },
          { startedAt: 113.5, endedAt: 114, error: 'no' }
        ]
      ]
    ]);
    expect(state.nodes.earlier.size).toBe(0);
    expect(next.nodes.startedAt[0]).toBeNaN();
  });

  it('knows a result that was taken over from one that was computed', () => {
    const state = reduceDispatch(dispatchState(), [
      item(11, 'a', 0, 'COMPLETED', { reused_from: 'b:0' }),
      item(12, 'a', 1, 'COMPLETED')
    ]);
    expect([...state.nodes.reused].slice(0, 2)).toEqual([1, 0]);
    expect(state.nodes.startedAt[0]).toBe(state.nodes.endedAt[0]);
    expect([0, 1].map(id => nodeWord(state.nodes, id, plainTexts))).toEqual([
      'Reused',
      'Completed'
    ]);
  });

  it('survives a node that is not in the graph', () => {
    const state = reduceDispatch(dispatchState(), [item(11, 'a', 99, 'COMPLETED')]);
    expect(state.detail.completed).toBe(0);
  });
});

describe('reduceList', () => {
  const newest: IListFilter = { statuses: [], isNewestFirst: true, search: '' };
  const state: IListState = {
    seq: 10,
    items: [summary('a'), summary('b', { status: 'COMPLETED' })],
    total: 2,
    counts: { RUNNING: 1, COMPLETED: 1 },
    parts: new Set()
  };
  const born = item(11, 'c', null, 'NEW_OBJECT', {
    name: 'fresh',
    total: 5,
    root_dispatch_id: 'c'
  });

  it('puts a new dispatch on top and counts it', () => {
    const { state: next, isStale } = reduceList(state, [born], newest);
    expect(next.items.map(row => row.dispatch_id)).toEqual(['c', 'a', 'b']);
    expect(next).toMatchObject({
      total: 3,
      seq: 11,
      counts: { NEW_OBJECT: 1, RUNNING: 1, COMPLETED: 1 }
    });
    expect(isStale).toBe(false);
  });

  it('follows a dispatch from birth to end within one batch', () => {
    const items = [
      born,
      item(12, 'c', null, 'RUNNING'),
      item(13, 'c', 0, 'COMPLETED'),
      item(14, 'c', null, 'COMPLETED')
    ];
    const { state: next } = reduceList(state, items, newest);
    expect(next.items[0]).toMatchObject({
      status: 'COMPLETED',
      completed: 1,
      started_at: 112,
      ended_at: 114
    });
    expect(next.counts).toEqual({ NEW_OBJECT: 0, RUNNING: 1, COMPLETED: 2 });
  });

  it('leaves out dispatches inside others, whatever they do, without asking the server', () => {
    const inner = { ...born, root_dispatch_id: 'a' };
    const first = reduceList(state, [inner, item(12, 'c', null, 'RUNNING')], newest);
    const second = reduceList(first.state, [item(13, 'c', null, 'COMPLETED')], newest);
    expect([first.isStale, second.isStale]).toEqual([false, false]);
    expect(second.state).toMatchObject({ total: 2, counts: state.counts, items: state.items });
  });

  it('takes a row out of a tab it no longer belongs to', () => {
    const filter = { ...newest, statuses: ['RUNNING'] };
    const running = { ...state, items: [summary('a')], total: 1 };
    const { state: next } = reduceList(running, [item(11, 'a', null, 'COMPLETED')], filter);
    expect(next).toMatchObject({ items: [], total: 0, counts: { RUNNING: 0, COMPLETED: 2 } });
  });

  it('drops a deleted dispatch', () => {
    const { state: next } = reduceList(state, [item(11, 'b', null, 'DELETED')], newest);
    expect(next).toMatchObject({ total: 1, counts: { RUNNING: 1, COMPLETED: 0 } });
  });

  it('asks for a reload when only the server knows the place of a change', () => {
    expect(reduceList(state, [born], { ...newest, isNewestFirst: false }).isStale).toBe(true);
    expect(reduceList(state, [item(11, 'zz', null, 'COMPLETED')], newest).isStale).toBe(true);
    expect(reduceList(state, [item(11, 'zz', 3, 'COMPLETED')], newest).isStale).toBe(false);
  });
});
