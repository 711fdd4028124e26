import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { statusName } from '../../src/graph/states';
import { DispatchesModel, DispatchModel, NodeModel, OverviewModel } from '../../src/model';
import type { NodeDetail } from '../../src/contract';
import { columns, detail, FakeFeed, FakeRest, item, summary } from '../fakes';

let rest: FakeRest;
let feed: FakeFeed;

beforeEach(() => {
  vi.useFakeTimers();
  rest = new FakeRest();
  feed = new FakeFeed();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('DispatchesModel', () => {
  it('loads a page, then more', async () => {
    rest.page.items = ['a', 'b', 'c'].map(id => summary(id));
    rest.page.total = 3;
    const model = new DispatchesModel({ rest, feed, pageSize: 2 });
    await model.start();
    expect(model.items.map(row => row.dispatch_id)).toEqual(['a', 'b']);
    await model.loadMore();
    expect(model.items.map(row => row.dispatch_id)).toEqual(['a', 'b', 'c']);
    await model.loadMore();
    expect(rest.queries.map(({ offset }) => offset)).toEqual([0, 2]);
  });

  it('asks the server with the filter of a tab and shows counts of all', async () => {
    rest.page.counts = { RUNNING: 2, FAILED: 1, NEW_OBJECT: 1 };
    const model = new DispatchesModel({ rest, feed });
    await model.show({ tab: 'failed', search: 'fit' });
    expect(rest.queries[0]).toMatchObject({ status: 'FAILED', search: 'fit', offset: 0 });
    expect([model.count('all'), model.count('running'), model.count('failed')]).toEqual([4, 2, 1]);
  });

  it('keeps the error of a failed request until one succeeds', async () => {
    rest.error = new Error('no server');
    const model = new DispatchesModel({ rest, feed });
    await model.start();
    expect(model.error).toBe('no server');
    rest.error = null;
    feed.stateChanged.emit('connected');
    await vi.runAllTimersAsync();
    expect(model.error).toBe('');
    expect(model.isLoaded).toBe(true);
  });

  it('reloads after a reset that is newer than what it shows, and only then', async () => {
    rest.page.seq = 5;
    const model = new DispatchesModel({ rest, feed });
    await model.start();
    feed.reset.emit({ seq: 5, isForced: false });
    await vi.runAllTimersAsync();
    expect(rest.queries.length).toBe(1);
    rest.page.seq = 9;
    feed.reset.emit({ seq: 9, isForced: false });
    await vi.runAllTimersAsync();
    expect(rest.queries.length).toBe(2);
  });

  it('holds one page, fills it up again, and never stays behind the last one', async () => {
    rest.page.items = ['a', 'b', 'c'].map(id => summary(id));
    rest.page.total = 3;
    const model = new DispatchesModel({ rest, feed, pageSize: 2, isPaged: true });
    await model.start();
    feed.transitions.emit([item(1, 'n', null, 'NEW_OBJECT', { name: 'n', total: 1 })]);
    expect(model.items.map(row => row.dispatch_id)).toEqual(['n', 'a']);
    await vi.runAllTimersAsync();
    expect(rest.queries.length).toBe(2);
    await model.showPage(1);
    expect(model.items.map(row => row.dispatch_id)).toEqual(['c']);
    rest.page.items = ['a', 'b'].map(id => summary(id));
    rest.page.total = 2;
    await model.refresh();
    expect([model.page, model.items.map(row => row.dispatch_id)]).toEqual([0, ['a', 'b']]);
  });

  it('deletes by the filter it shows', async () => {
    rest.page.items = [summary('a')];
    const model = new DispatchesModel({ rest, feed });
    await model.show({ tab: 'running', search: 'fit' });
    expect(await model.removeMatching(model.filter)).toEqual({ deleted: 1, active: 0 });
    expect(rest.removed).toEqual([{ search: 'fit', statuses: ['STARTING', 'RUNNING'] }]);
  });

  it('hears nothing after it was disposed, twice', async () => {
    const model = new DispatchesModel({ rest, feed });
    await model.start();
    model.dispose();
    model.dispose();
    feed.transitions.emit([item(1, 'x', null, 'NEW_OBJECT', { name: 'x', total: 1 })]);
    expect(model.items).toEqual([]);
  });
});

describe('DispatchModel', () => {
  it('applies transitions that arrived while the snapshot was on its way, once each', async () => {
    rest.details.set('a', detail('a', { completed: 1 }));
    rest.nodeColumns = columns(20, [[0, 'COMPLETED']]);
    rest.beforeNodes = () =>
      feed.transitions.emit([item(20, 'a', 0, 'COMPLETED'), item(21, 'a', 1, 'RUNNING')]);
    const model = new DispatchModel({ rest, feed, dispatchId: 'a' });
    await model.load();
    expect([...(model.nodes?.status ?? [])].slice(0, 2).map(statusName)).toEqual([
      'COMPLETED',
      'RUNNING'
    ]);
    expect(model.detail?.completed).toBe(1);
  });

  it('reads the result, and what nodes used, when the dispatch ends', async () => {
    rest.details.set('a', detail('a'));
    const model = new DispatchModel({ rest, feed, dispatchId: 'a' });
    await model.load();
    const result = { digest: 'd'.repeat(40), size: 1, type: 'int', text: '7', rich: [] };
    rest.details.set('a', detail('a', { status: 'COMPLETED', result }));
    rest.nodeColumns = { ...columns(2, [[0, 'COMPLETED']]), cpu_s: [1.5], peak_memory: [9_000] };
    feed.transitions.emit([item(1, 'a', null, 'COMPLETED')]);
    await vi.runAllTimersAsync();
    expect(model.detail?.result?.text).toBe('7');
    expect([model.nodes?.cpuS[0], model.nodes?.peakMemory[0]]).toEqual([1.5, 9_000]);
  });

  it('knows the dispatch that it is part of, and what its nodes became', async () => {
    rest.details.set('outer', detail('outer', { name: 'the whole' }));
    rest.details.set('a', detail('a', { parent_dispatch_id: 'outer', parent_node_id: 3 }));
    rest.nodeColumns = { ...columns(20, [[0, 'DISPATCHING']]), sub_dispatch_id: ['inner'] };
    const model = new DispatchModel({ rest, feed, dispatchId: 'a' });
    await model.load();
    await vi.runAllTimersAsync();
    expect(model.parent).toEqual({ dispatchId: 'outer', nodeId: 3, name: 'the whole' });
    expect([...(model.nodes?.parts ?? [])]).toEqual([[0, 'inner']]);
  });

  it('says why it cannot be shown, and tries again when the connection is back', async () => {
    const model = new DispatchModel({ rest, feed, dispatchId: 'gone' });
    await model.load();
    expect(model.error).toBe('There is no dispatch gone.');
    rest.details.set('gone', detail('gone'));
    feed.stateChanged.emit('connected');
    await vi.runAllTimersAsync();
    expect(model.error).toBe('');
  });

  it('reloads after a reset', async () => {
    rest.details.set('a', detail('a'));
    const model = new DispatchModel({ rest, feed, dispatchId: 'a' });
    await model.load();
    rest.nodeColumns = columns(50_000, [[1, 'FAILED']]);
    feed.reset.emit({ seq: 50_000, isForced: false });
    await vi.runAllTimersAsync();
    expect(statusName(model.nodes?.status[1] ?? 0)).toBe('FAILED');
  });
});

describe('NodeModel', () => {
  const running: NodeDetail = {
    node_id: 0,
    name: 'task_0',
    kind: 'function',
    status: 'RUNNING',
    attempt: 1,
    started_at: 1,
    ended_at: null,
    error: '',
    executor: 'local',
    executor_data: {},
    hooks: {},
    function_name: 'task_0',
    source: '',
    doc: '',
    inputs: [],
    output: null,
    stdout: 'né ',
    stderr: '',
    seq: 1
  };

  async function watched(): Promise<NodeModel> {
    rest.details.set('a', detail('a'));
    rest.nodeDetail = running;
    const dispatch = new DispatchModel({ rest, feed, dispatchId: 'a' });
    await dispatch.load();
    const node = new NodeModel({ dispatch, nodeId: 0 });
    await node.load();
    return node;
  }

  it('reads new text from where it stopped, counted in bytes, while logs are shown', async () => {
    const node = await watched();
    await vi.advanceTimersByTimeAsync(5000);
    expect(rest.offsets).toEqual([]);
    rest.streams = [{ text: 'two', offset: 7, done: false }];
    node.isWatchingLogs = true;
    await vi.advanceTimersByTimeAsync(1000);
    expect(node.stdout).toBe('né two');
    expect(rest.offsets).toEqual([4, 0]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(rest.offsets).toEqual([4, 0, 7, 0]);
    node.isWatchingLogs = false;
    await vi.advanceTimersByTimeAsync(5000);
    expect(rest.offsets.length).toBe(4);
  });

  it('reads itself again when it changes status', async () => {
    const node = await watched();
    rest.nodeDetail = { ...running, status: 'COMPLETED', stdout: 'né two three' };
    feed.transitions.emit([item(5, 'a', 0, 'COMPLETED')]);
    await vi.runAllTimersAsync();
    expect(node.detail?.status).toBe('COMPLETED');
    expect(node.stdout).toBe('né two three');
    node.dispose();
    node.dispose();
  });
});

describe('OverviewModel', () => {
  it('asks again once after many dispatches changed, and not for their nodes', async () => {
    const model = new OverviewModel({ rest, feed });
    const asked = vi.spyOn(rest, 'overview');
    rest.figures = { ...rest.figures, total: 3, counts: { RUNNING: 1, STARTING: 1, FAILED: 1 } };
    feed.transitions.emit([item(1, 'a', 0, 'RUNNING')]);
    await vi.runAllTimersAsync();
    expect(asked).not.toHaveBeenCalled();
    feed.transitions.emit([item(2, 'a', null, 'RUNNING')]);
    feed.transitions.emit([item(3, 'b', null, 'FAILED')]);
    await vi.runAllTimersAsync();
    expect(asked).toHaveBeenCalledTimes(1);
    expect([model.count(), model.running, model.count('FAILED')]).toEqual([3, 2, 1]);
    model.dispose();
    feed.transitions.emit([item(4, 'a', null, 'COMPLETED')]);
    await vi.runAllTimersAsync();
    expect(asked).toHaveBeenCalledTimes(1);
  });
});
