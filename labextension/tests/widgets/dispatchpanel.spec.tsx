import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { NodeDetail, Payload } from '../../src/contract';
import { OPEN_EVENT } from '../../src/contract/open';
import { plainTexts } from '../../src/graph/style';
import { DispatchModel, NodeModel } from '../../src/model';
import { Header } from '../../src/widgets/dispatch/header';
import type { IViewActions } from '../../src/widgets/node';
import { NodeView } from '../../src/widgets/node/node';
import { Side } from '../../src/widgets/node/panel';
import { dependenciesOf, splitAnsi, Traceback } from '../../src/widgets/parts';
import { columns, detail, FakeFeed, FakeRest, item, NODE, summary, viewActions } from '../fakes';

const TRACE = `printed before
Traceback (most recent call last):
  File "/srv/fit.py", line 7, in fit
    return 1 / 0
           ~~^~~
ZeroDivisionError: division by zero`;

const VALUE: Payload = { digest: 'abc', size: 145, type: 'int', text: '42', rich: [] };
const copied = vi.fn((text: string) => Promise.resolve(void text));
Object.defineProperty(navigator, 'clipboard', { value: { writeText: copied } });

let rest: FakeRest;
let feed: FakeFeed;

beforeEach(() => {
  rest = new FakeRest();
  feed = new FakeFeed();
});

afterEach(cleanup);

async function opened(
  change: Parameters<typeof detail>[1] = {},
  actions: Partial<IViewActions> = {}
): Promise<DispatchModel> {
  rest.details.set('a', detail('a', change));
  const model = new DispatchModel({ rest, feed, dispatchId: 'a' });
  await model.load();
  await act(async () => {
    render(<Side model={model} texts={plainTexts} actions={viewActions(actions)} />);
  });
  return model;
}

describe('the panel of a dispatch', () => {
  it('shows description, executors with settings, and long source on demand', async () => {
    await opened({
      doc: 'Fits a line.',
      executor: 'ssh',
      executor_data: { attributes: { hostname: 'node1', password: '********' } },
      workflow_executor: 'local',
      source: 'x = 1\n'.repeat(40)
    });
    expect(screen.getByText('Fits a line.')).toBeTruthy();
    expect(await screen.findByTitle('/results/a')).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Copy path' })).toBeTruthy();
    expect(screen.getByText('Executor: ssh')).toBeTruthy();
    expect(screen.getByText('node1')).toBeTruthy();
    expect(screen.getByText('Workflow executor: local')).toBeTruthy();
    const more = screen.getByRole('button', { name: 'Show all' });
    fireEvent.click(more);
    expect(more.getAttribute('aria-expanded')).toBe('true');
    expect(screen.queryByRole('tablist')).toBeNull();
  });

  it('shows facts of a dispatch, and a dash where nothing has begun', async () => {
    await opened({ completed: 1, started_at: 1_700_000_000, ended_at: 1_700_000_061 });
    await screen.findByTitle('/results/a');
    const facts = () =>
      Object.fromEntries(
        screen.getAllByRole('term').map(term => [term.textContent, term.nextSibling?.textContent])
      );
    expect(facts()).toMatchObject({ Id: 'a', Tasks: '1 of 3 completed', Python: '3.11.0' });
    expect(facts()).toMatchObject({ 'Results folder': '/results/a', 'Run time': '1 m 01 s' });
    expect(facts().Started).toMatch(/^Nov 1[45], 2023, \d\d:\d\d:20$/);
    expect(facts().Ended).toMatch(/^Nov 1[45], 2023, \d\d:\d\d:21$/);
    cleanup();
    await opened({ status: 'NEW_OBJECT', started_at: null });
    expect(facts()).toMatchObject({ Started: '-', Ended: '-', 'Run time': '-' });
  });

  it('shows inputs and result, and copies expressions that load them again', async () => {
    await opened({ inputs: { ...VALUE, text: '(7,)' }, result: VALUE });
    for (const [title, text, expression] of [
      ['Result', '42', 'get_result("a", wait=True).result'],
      ['Inputs', '(7,)', 'get_result("a").inputs.get_deserialized()']
    ]) {
      const section = within(screen.getByText(title).closest('details') as HTMLElement);
      expect(section.getByText(text)).toBeTruthy();
      await act(async () => fireEvent.click(section.getByRole('button', { name: 'Copy Python' })));
      expect(copied.mock.lastCall?.[0]).toContain(expression);
    }
  });

  it('leads to the notebook cell that dispatched it, where that is known', async () => {
    const openOrigin = vi.fn();
    const origin = { notebook: 'fits/run.ipynb', cell_id: 'c1', script: null };
    await opened({ origin }, { openOrigin });
    expect(screen.getByTitle('fits/run.ipynb')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Open notebook cell' }));
    expect(openOrigin).toHaveBeenCalled();
    cleanup();
    await opened({
      origin: { notebook: null, cell_id: null, script: '/srv/fit.py' }
    });
    expect(screen.getByTitle('/srv/fit.py')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Open notebook cell' })).toBeNull();
  });

  it('lists sublattices, sorts them on the server and opens one', async () => {
    rest.nodeColumns = {
      ...columns(5, [[0, 'DISPATCHING']]),
      sub_dispatch_id: ['inner']
    } as typeof rest.nodeColumns;
    rest.parts = { items: [summary('inner', { name: 'part' })], total: 1, counts: {}, seq: 5 };
    await opened();
    const tab = screen.getByRole('tab', { name: 'Sublattices (1)' });
    await act(async () => fireEvent.click(tab));
    const table = screen.getByRole('table', { name: 'Sublattices' });
    expect(within(table).getByText('0/3')).toBeTruthy();
    for (const [name, sort, direction] of [
      ['Run time', 'runtime', 'desc'],
      ['Tasks', 'total', 'desc'],
      ['Workflow', 'name', 'asc']
    ]) {
      await act(async () => fireEvent.click(within(table).getByRole('button', { name })));
      expect(rest.queries.at(-1)).toMatchObject({ sort, direction });
    }
    const asked = vi.fn();
    document.addEventListener(OPEN_EVENT, event => asked((event as CustomEvent).detail.dispatchId));
    fireEvent.click(within(table).getByRole('button', { name: 'part' }));
    expect(asked).toHaveBeenCalledWith('inner');
    const before = rest.queries.length;
    await act(async () => {
      feed.transitions.emit([item(9, 'a', 0, 'COMPLETED')]);
      await new Promise(done => requestAnimationFrame(done));
    });
    expect(rest.queries.length).toBe(before + 1);
    rest.error = new Error('The server cannot be reached.');
    await act(async () => fireEvent.click(within(table).getByRole('button', { name: 'Tasks' })));
    expect(screen.getByRole('alert').textContent).toContain('The server cannot be reached.');
    rest.error = null;
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Try again' })));
    expect(screen.queryByRole('alert')).toBeNull();
  });
});

describe('the head of a dispatch', () => {
  async function shown(change: Parameters<typeof detail>[1]): Promise<DispatchModel> {
    rest.details.set('a', detail('a', change));
    const model = new DispatchModel({ rest, feed, dispatchId: 'a' });
    await model.load();
    render(<Header model={model} texts={plainTexts} actions={viewActions()} />);
    return model;
  }

  it('shows name, status, progress and run time', async () => {
    await shown({ status: 'COMPLETED', completed: 3, ended_at: 166 });
    expect(screen.getByRole('heading', { name: 'flow a' })).toBeTruthy();
    expect(screen.getByRole('img', { name: 'Completed' })).toBeTruthy();
    expect(screen.getByRole('progressbar').getAttribute('aria-label')).toBe(
      '3 of 3 tasks completed'
    );
    expect(screen.getByTitle('Run time').textContent).toBe('1 m 05 s');
    expect(screen.getByRole('button', { name: 'Copy id' })).toBeTruthy();
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('has a card with the error of what failed, which leads to the node', async () => {
    rest.nodeColumns = columns(5, [[1, 'FAILED']]);
    const model = await shown({ status: 'FAILED', failed: 1, error: 'ValueError: no data' });
    expect(screen.getByRole('alert').textContent).toContain('ValueError: no data');
    fireEvent.click(screen.getByRole('button', { name: 'Show the failed task' }));
    expect(model.selection).toBe(1);
  });
});

describe('the panel of a node', () => {
  async function shown(
    change: Partial<NodeDetail>,
    actions: Partial<IViewActions> = {}
  ): Promise<void> {
    rest.details.set('a', detail('a'));
    rest.nodeDetail = { ...NODE, ...change };
    const dispatch = new DispatchModel({ rest, feed, dispatchId: 'a' });
    const node = new NodeModel({ dispatch, nodeId: 0 });
    await node.load();
    render(
      <NodeView dispatch={dispatch} node={node} texts={plainTexts} actions={viewActions(actions)} />
    );
  }

  it('shows error and traceback of a failed node first', async () => {
    await shown({ status: 'FAILED', error: 'ZeroDivisionError: division by zero', stderr: TRACE });
    const panel = screen.getByRole('tabpanel');
    expect(within(panel).getByRole('alert').textContent).toContain('division by zero');
    expect(panel.textContent).toContain('return 1 / 0');
    expect(screen.getByRole('button', { name: 'Copy node id' })).toBeTruthy();
  });

  it('shows what a node is and when it ran; a parameter does not run', async () => {
    const name = 'fit_a_line';
    await shown({ name, doc: 'Fits a line.', node_id: 4, started_at: 101, ended_at: 166 });
    expect(screen.getByRole('heading', { name })).toBeTruthy();
    expect(screen.getByRole('img', { name: 'Completed' })).toBeTruthy();
    expect(screen.getByText('Fits a line.')).toBeTruthy();
    expect(screen.getByText('1 m 05 s')).toBeTruthy();
    expect(screen.getAllByText(/^Jan 01, 1970, \d\d:\d\d:\d\d$/).length).toBe(2);
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Copy node id' })));
    expect(copied).toHaveBeenLastCalledWith('4');
    cleanup();
    await shown({ status: 'NEW_OBJECT', started_at: null, ended_at: null });
    expect(screen.getAllByText('-').length).toBe(3);
    cleanup();
    await shown({ kind: 'parameter', name: ':parameter:5', started_at: null, ended_at: null });
    expect(screen.queryByText('Started')).toBeNull();
  });

  it('shows output and inputs, and copies an expression that loads the output again', async () => {
    const input = {
      name: 'x',
      source: 3,
      source_name: 'load',
      param_type: 'kwarg',
      arg_index: null
    } as const;
    await shown({
      node_id: 4,
      output: VALUE,
      inputs: [{ ...input, payload: { ...VALUE, text: '7' } }]
    });
    expect(screen.getByRole('tabpanel').textContent).toContain('42');
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Copy Python' })));
    expect(copied.mock.lastCall?.[0]).toContain('get_node_result(4)["output"].get_deserialized()');
    fireEvent.click(screen.getByRole('tab', { name: 'Inputs' }));
    expect(screen.getByRole('tabpanel').textContent).toBe('xload (3)7');
  });

  it('shows what was printed to both streams', async () => {
    await shown({ stdout: 'line 1', stderr: 'careful' });
    fireEvent.click(screen.getByRole('tab', { name: 'Logs' }));
    expect(screen.getByRole('tabpanel').textContent).toBe('stdoutline 1stderrcareful');
  });

  it('shows its source', async () => {
    await shown({ source: 'def fit(x):\n    return x' });
    fireEvent.click(screen.getByRole('tab', { name: 'Source' }));
    expect(screen.getByRole('tabpanel').textContent).toContain('def fit(x):');
    expect(screen.getByRole('button', { name: 'Copy source' })).toBeTruthy();
  });

  it('says what a task used, if that was measured', async () => {
    const usage = {
      cpu_s: 1.25,
      peak_memory: 80_000_000,
      memory_growth: 3_000_000,
      input_bytes: 312,
      output_bytes: 4_100,
      host: 'node7',
      pid: 4711
    };
    await shown({ usage });
    for (const text of ['1.3 s', '80 MB at most, 3.0 MB of it new', '312 B in, 4.1 kB out']) {
      expect(screen.getByText(text)).toBeTruthy();
    }
    expect(screen.getByText('node7, process 4711')).toBeTruthy();
    cleanup();
    await shown({ usage: null });
    expect(screen.queryByText('CPU time')).toBeNull();
  });

  it('lists what a node needs, and the settings of its executor', async () => {
    await shown({
      hooks: { deps: { bash: { attributes: { commands: ['module load gcc'] } } } },
      executor: 'slurm',
      executor_data: { attributes: { partition: 'debug', options: { nodes: 2 } } }
    });
    fireEvent.click(screen.getByRole('tab', { name: 'Needs' }));
    const panel = screen.getByRole('tabpanel');
    for (const text of ['module load gcc', 'debug', '{"nodes":2}']) {
      expect(panel.textContent).toContain(text);
    }
  });

  it.each([
    ['FAILED', ['Debug in notebook', 'Run with active cell']],
    ['RUNNING', ['Cancel task']],
    ['NEW_OBJECT', ['Cancel task']],
    ['CANCELLED', ['Run with active cell']]
  ] as const)('offers what can be done with a node that is %s', async (status, labels) => {
    const [cancelNode, debugNode, replaceNode] = [vi.fn(), vi.fn(), vi.fn()];
    await shown({ status, node_id: 7 }, { cancelNode, debugNode, replaceNode });
    const buttons = within(screen.getByRole('group', { name: 'Actions' })).getAllByRole('button');
    expect(buttons.map(button => button.textContent)).toEqual(labels);
    buttons.forEach(button => fireEvent.click(button));
    for (const [label, act] of [
      ['Cancel task', cancelNode],
      ['Debug in notebook', debugNode],
      ['Run with active cell', replaceNode]
    ] as const) {
      expect(act.mock.calls).toEqual((labels as readonly string[]).includes(label) ? [[7]] : []);
    }
  });

  it('moves between its tabs with the arrow keys', async () => {
    await shown({ source: 'def f(): pass' });
    const first = screen.getByRole('tab', { name: 'Output' });
    fireEvent.keyDown(first, { key: 'ArrowLeft' });
    expect(screen.getByRole('tab', { name: 'Source' }).getAttribute('aria-selected')).toBe('true');
    expect(document.activeElement?.textContent).toBe('Source');
  });
});

describe('dependenciesOf', () => {
  it('reads commands, packages and calls', () => {
    const call = {
      attributes: {
        apply_fn: { attributes: { _header: { attrs: { name: 'print' } } } },
        apply_args: { attributes: { _object_string: "['x']" } },
        apply_kwargs: { attributes: { _object_string: '{}' } }
      }
    };
    const pip = { attributes: { packages: ['numpy'], requirements_content: 'scipy\n' } };
    expect(dependenciesOf({ deps: { pip }, call_before: [call], call_after: [] })).toEqual([
      { kind: 'pip', lines: ['numpy', 'scipy'] },
      { kind: 'before', lines: ["print(['x'])"] }
    ]);
  });

  it.each([{}, { deps: null }, { deps: { pip: 'numpy' }, call_before: 'x' }])(
    'finds nothing in %j',
    hooks => expect(dependenciesOf(hooks)).toEqual([])
  );
});

describe('Traceback', () => {
  it('marks places and the error, and leaves out lines of carets', () => {
    const { container } = render(<Traceback text={TRACE} />);
    expect(container.textContent).toBe(TRACE.replace('           ~~^~~\n', ''));
    expect(container.querySelector('.ansi-red-fg')?.textContent).toBe('ZeroDivisionError');
    expect(container.querySelector('.ansi-cyan-fg')?.textContent).toBe('fit');
  });

  it('keeps the colours of IPython', () => {
    expect(splitAnsi('\x1b[38;5;241mgrey\x1b[0m \x1b[1;31mred\x1b[22;39;44mblue')).toEqual([
      { text: 'grey', className: '', style: { color: 'rgb(98, 98, 98)' } },
      { text: ' ', className: '' },
      { text: 'red', className: 'ansi-red-fg ansi-bold' },
      { text: 'blue', className: 'ansi-blue-bg' }
    ]);
    expect(splitAnsi('\x1b[38;2;1;2;3mx\x1b[48;5;9my\x1b[38;5mz')[2].text).toBe('z');
  });
});
