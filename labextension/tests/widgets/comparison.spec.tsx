import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { ComparedNode, ComparedRow, Comparison } from '../../src/contract';
import { OPEN_EVENT } from '../../src/contract/open';
import type { NodeMark } from '../../src/graph/marks';
import { commonMark, marksOf } from '../../src/graph/marks';
import { plainTexts } from '../../src/graph/style';
import { ComparisonModel } from '../../src/model';
import { ComparisonBody, ComparisonView } from '../../src/widgets/comparison';
import { GraphPair } from '../../src/widgets/comparison/graphs';
import { chain, FakeRest } from '../fakes';

const SIDE = { status: 'COMPLETED' as const, started_at: 10, ended_at: 12.5, error: '' };
const left = { ...SIDE, dispatch_id: 'aaaaaaaa-1', name: 'first' };
const right = { ...SIDE, dispatch_id: 'bbbbbbbb-2', name: 'second', ended_at: 13.7 };

function node(id: number, name: string, change: Partial<ComparedNode> = {}): ComparedNode {
  const kind = 'function' as const;
  return { ...SIDE, node_id: id, name, kind, cpu_s: 1, executor: 'local', ...change };
}

function row(change: Partial<ComparedRow>): ComparedRow {
  return {
    left: node(0, 'fit'),
    right: node(4, 'fit'),
    inputs: [],
    output: null,
    differences: [],
    ...change
  };
}

const FOUND: Comparison = {
  left,
  right,
  is_same_graph: false,
  inputs: { is_equal: true, left: '1', right: '1' },
  result: { is_equal: false, left: '8', right: '<b>9</b>' },
  rows: [
    row({}),
    row({
      left: node(1, 'train'),
      right: node(7, 'train', { status: 'FAILED', error: 'ValueError: no', ended_at: 11.3 }),
      inputs: [{ name: 'rate', left: '0.1', right: '0.2' }],
      output: { is_equal: false, left: '5', right: null },
      differences: ['status', 'inputs', 'output', 'error']
    }),
    row({ left: null, right: node(9, 'more'), differences: ['missing'] })
  ],
  hidden: 3,
  differing: 2
};

let rest: FakeRest;

beforeEach(() => {
  rest = new FakeRest();
  rest.comparison = FOUND;
  rest.wires.set(left.dispatch_id, chain(3)).set(right.dispatch_id, chain(10));
});

afterEach(cleanup);

async function shown(): Promise<ComparisonModel> {
  const model = new ComparisonModel({ rest, left: left.dispatch_id, right: right.dispatch_id });
  await model.load();
  const graphs = new GraphPair({ model, texts: plainTexts });
  render(<ComparisonBody model={model} texts={plainTexts} graphs={graphs.node} />);
  return model;
}

describe('the comparison of two dispatches', () => {
  it('lists what differs, in words', async () => {
    await shown();
    const rows = within(screen.getByRole('table')).getAllByRole('row').slice(1);
    expect(rows.map(item => within(item).getByRole('rowheader').textContent)).toEqual([
      'train',
      'more'
    ]);
    for (const text of [
      'status, inputs, output, error',
      'Input rate: 0.1 → 0.2',
      'Output: 5 → none'
    ]) {
      expect(rows[0].textContent).toContain(text);
    }
    expect(rows[0].textContent).toContain('≠');
    expect(rows[1].textContent).toContain('not there');
    expect(rows[1].textContent).toContain('missing on one side');
    for (const text of [
      'The graphs differ',
      'Inputs: the same',
      '2 tasks differ',
      '3 more tasks'
    ]) {
      expect(document.body.textContent).toContain(text);
    }
    expect(screen.getByText('<b>9</b>')).toBeTruthy();
  });

  it('shows the other tasks on demand', async () => {
    await shown();
    fireEvent.click(screen.getByRole('checkbox', { name: 'Show tasks without differences' }));
    expect(screen.getByRole('rowheader', { name: 'fit' })).toBeTruthy();
    expect(screen.getByText('the same')).toBeTruthy();
  });

  it('tells how much longer or shorter the whole and each task took', async () => {
    await shown();
    expect(document.body.textContent).toContain('Time: 2.5 s → 3.7 s (+1.2 s)');
    const [train, more] = within(screen.getByRole('table')).getAllByRole('row').slice(1);
    expect(within(train).getAllByRole('cell')[2].textContent).toBe('−1.2 s');
    expect(within(more).getAllByRole('cell')[2].textContent).toBe('');
  });

  it('draws both graphs with the same view, and says what their marks mean', async () => {
    await shown();
    const sides = [/^Left graph: aaaaaaaa/, /^Right graph: bbbbbbbb/].map(name =>
      within(screen.getByRole('region', { name }))
    );
    const names = sides.map(side => side.getByRole('img').getAttribute('aria-label'));
    expect(names).toEqual([
      expect.stringContaining('4 nodes'),
      expect.stringContaining('11 nodes')
    ]);
    for (const word of ['≠differs', '−only left', '+only right']) {
      expect(document.body.textContent).toContain(word);
    }
    fireEvent.change(sides[0].getByLabelText('Layout'), { target: { value: 'tree' } });
    fireEvent.click(sides[1].getByRole('button', { name: 'Names in words' }));
    for (const side of sides) {
      expect(side.getByLabelText('Layout')).toHaveProperty('value', 'tree');
      const words = side.getByRole('button', { name: 'Names in words' });
      expect(words.getAttribute('aria-pressed')).toBe('true');
    }
  });

  it('selects in both graphs what is selected in the table', async () => {
    const model = await shown();
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'train' })));
    expect(model.selection).toEqual({ left: 1, right: 7 });
    const told = screen.getAllByRole('region').map(side => side.textContent);
    expect(told[0]).toContain('Node 1: task_1, Pending, differs');
    expect(told[1]).toContain('Node 7: task_7, Pending, differs');
  });

  it('shows the line of what is selected in a graph, though it does not differ', async () => {
    const model = await shown();
    await act(async () => {
      model.select('right', 4);
      await new Promise(requestAnimationFrame);
    });
    expect(model.selection).toEqual({ left: 0, right: 4 });
    const table = within(screen.getByRole('table'));
    expect(table.getByRole('button', { pressed: true }).textContent).toBe('fit');
    await act(async () => {
      model.select('right', 9);
      await new Promise(requestAnimationFrame);
    });
    expect(model.selection).toEqual({ left: null, right: 9 });
    expect(table.getByRole('button', { pressed: true }).textContent).toBe('more');
  });

  it('leads to both dispatches and to both nodes', async () => {
    await shown();
    const asked = vi.fn();
    document.addEventListener(OPEN_EVENT, event => asked((event as CustomEvent).detail));
    fireEvent.click(screen.getByRole('button', { name: 'second' }));
    fireEvent.click(screen.getByRole('button', { name: 'Completed (1)' }));
    fireEvent.click(screen.getByRole('button', { name: 'Failed (7)' }));
    expect(asked.mock.calls.map(([request]) => request)).toEqual([
      { dispatchId: right.dispatch_id, nodeId: undefined },
      { dispatchId: left.dispatch_id, nodeId: 1 },
      { dispatchId: right.dispatch_id, nodeId: 7 }
    ]);
  });

  it('asks again, and says why it has no answer', async () => {
    await shown();
    rest.comparison = null;
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Compare again' })));
    expect((await screen.findByRole('alert')).textContent).toBe('There is no such dispatch.');
    rest.comparison = { ...FOUND, rows: [], differing: 0, is_same_graph: true };
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Compare again' })));
    expect(await screen.findByText('No task differs')).toBeTruthy();
    expect(screen.queryByRole('alert')).toBeNull();
    expect(screen.queryByRole('table')).toBeNull();
  });

  it('forgets its model when it is closed, twice if asked to', () => {
    const model = new ComparisonModel({ rest, left: 'a', right: 'b' });
    const view = new ComparisonView({ model, texts: plainTexts });
    view.dispose();
    view.dispose();
    expect(model.isDisposed).toBe(true);
  });
});

describe('the model of a comparison', () => {
  it('drops an answer that was overtaken, or comes after its end', async () => {
    const model = new ComparisonModel({ rest, left: 'a', right: 'b' });
    const answers: ((found: Comparison) => void)[] = [];
    rest.compare = () => new Promise(resolve => answers.push(resolve));
    const loads = [model.load(), model.load()];
    answers[1]({ ...FOUND, differing: 7 });
    answers[0](FOUND);
    await Promise.all(loads);
    expect(model.found?.differing).toBe(7);
    expect(model.graphs?.right.structure.count).toBe(5);
    const last = model.load();
    model.dispose();
    answers[2](FOUND);
    await last;
    expect(model.found?.differing).toBe(7);
  });
});

describe('marks', () => {
  it('say which nodes differ, and which only one side has', () => {
    expect([...marksOf(FOUND.rows, 'left')]).toEqual([[1, 'differs']]);
    expect([...marksOf(FOUND.rows, 'right')]).toEqual([
      [7, 'differs'],
      [9, 'added']
    ]);
    const gone = [row({ right: null, differences: ['missing'] })];
    expect([...marksOf(gone, 'left')]).toEqual([[0, 'removed']]);
  });

  it('are put together for a stack', () => {
    const marks = new Map<number, NodeMark>([
      [1, 'added'],
      [2, 'added'],
      [3, 'differs']
    ]);
    expect(commonMark([1, 2], marks)).toBe('added');
    expect(commonMark([0, 1], marks)).toBe('differs');
    expect(commonMark([0, 5], marks)).toBeUndefined();
  });
});
