import { beforeEach, expect, it, vi } from 'vitest';

import { DispatchModel, KeptViews, UnfoldedParts } from '../../src/model';
import { RUNNING } from '../../src/graph/states';
import { chain, columns, detail, FakeFeed, FakeRest, graph, item } from '../fakes';

const SUBLATTICE = graph([[':sublattice:part', 'sublattice']], []);

let rest: FakeRest;
let feed: FakeFeed;
let made: DispatchModel[];
let parts: UnfoldedParts;
let root: DispatchModel;
const changed = vi.fn();

const settle = () => vi.waitFor(() => expect(made.every(model => model.nodes !== null)).toBe(true));

beforeEach(async () => {
  rest = new FakeRest();
  feed = new FakeFeed();
  rest.nodeColumns = columns(1);
  for (const id of ['root', 'part', 'inner', 'second']) {
    rest.details.set(id, detail(id));
    rest.wires.set(id, id === 'inner' || id === 'second' ? chain(2) : SUBLATTICE);
  }
  made = [];
  const create = (dispatchId: string) => {
    const model = new DispatchModel({ rest, feed, dispatchId });
    made.push(model);
    return model;
  };
  root = new DispatchModel({ rest, feed, dispatchId: 'root' });
  await root.load();
  parts = new UnfoldedParts({ root, create });
  changed.mockReset();
  parts.changed.connect(changed);
});

/** The feed tells which dispatch a node became. */
function becomes(seq: number, of: string, part: string): void {
  feed.transitions.emit([item(seq, of, 0, 'DISPATCHING', { sub_dispatch_id: part })]);
}

it('is loaded as soon as its node has become a dispatch, and followed', async () => {
  parts.unfold(['0']);
  expect(made).toEqual([]);
  becomes(2, 'root', 'part');
  await settle();
  expect([...parts.loaded.keys()]).toEqual(['0']);
  changed.mockReset();
  feed.transitions.emit([item(3, 'part', 0, 'RUNNING')]);
  expect(changed).toHaveBeenCalled();
  expect(parts.loaded.get('0')?.nodes?.status[0]).toBe(RUNNING);
});

it('holds those inside of others, whatever order they are named in', async () => {
  parts.unfold(['0/0', '0']);
  becomes(2, 'root', 'part');
  await settle();
  becomes(3, 'part', 'inner');
  await settle();
  expect([...parts.loaded].map(([path, model]) => [path, model.dispatchId])).toEqual([
    ['0', 'part'],
    ['0/0', 'inner']
  ]);
  parts.unfold(['0/0']);
  expect([parts.loaded.size, made.every(model => model.isDisposed)]).toEqual([0, true]);
});

it('is let go when it is folded, and asked for anew when it is unfolded', async () => {
  becomes(2, 'root', 'part');
  parts.unfold(['0']);
  await settle();
  changed.mockReset();
  parts.unfold([]);
  expect([made[0].isDisposed, parts.get('0'), changed.mock.calls.length]).toEqual([true, null, 1]);
  parts.unfold(['0']);
  expect(made.length).toBe(2);
});

it('is replaced when its node was tried again and became another dispatch', async () => {
  becomes(2, 'root', 'part');
  parts.unfold(['0']);
  await settle();
  becomes(3, 'root', 'second');
  await settle();
  expect([made[0].isDisposed, parts.get('0')?.dispatchId]).toEqual([true, 'second']);
});

it('goes with the view that shows it', async () => {
  becomes(2, 'root', 'part');
  parts.unfold(['0']);
  parts.dispose();
  expect(made[0].isDisposed).toBe(true);
  becomes(3, 'root', 'second');
  expect(made.length).toBe(1);
});

it('can be selected in, and what is selected outside ends that', () => {
  const model = new DispatchModel({ rest, feed, dispatchId: 'inner' });
  const told = vi.fn();
  root.selectionChanged.connect(told);
  root.selectInside({ model, nodeId: 1, path: '4/0' });
  expect([root.selection, root.inside?.nodeId]).toEqual([4, 1]);
  root.selection = 4;
  expect([root.selection, root.inside, told.mock.calls.length]).toEqual([4, null, 2]);
});

it('keeps how graphs were seen, of the last hundred', async () => {
  const saved: Record<string, unknown> = {};
  const state = {
    fetch: async (key: string) => saved[key],
    save: async (key: string, value: never) => {
      saved[key] = JSON.parse(JSON.stringify(value));
    }
  };
  const views = new KeptViews(state);
  await views.ready;
  for (let number = 0; number < 102; number += 1) {
    views.keep(`d${number}`, { number });
  }
  views.keep('d50', { number: 'again' });
  const later = new KeptViews(state);
  await later.ready;
  expect(['d1', 'd2', 'd50'].map(id => later.get(id))).toEqual([
    null,
    { number: 2 },
    { number: 'again' }
  ]);
});

it('shows graphs also where nothing can be kept', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const refuse = () => Promise.reject(new Error('no room'));
  const views = new KeptViews({ fetch: refuse, save: refuse });
  await views.ready;
  views.keep('a', { isPretty: true });
  await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(2));
  expect(views.get('a')).toEqual({ isPretty: true });
  expect(new KeptViews(null).get('a')).toBeNull();
  warn.mockRestore();
});
