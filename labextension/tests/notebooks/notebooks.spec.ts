import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { plainTexts } from '../../src/graph/style';
import { Notebooks, readAnswer } from '../../src/notebooks/notebooks';

/** A notebook with cells that are texts. */
class FakeNotebook {
  readonly id = 'notebook';
  isDisposed = false;
  readonly cells = [{ id: 'c0', source: 'def fit(x):\n    return x' }];
  reply: unknown = {};
  status = 'idle';
  hasKernel = true;
  readonly asked: unknown[] = [];
  readonly context = { path: 'a.ipynb', ready: Promise.resolve() };

  hasClass(name: string): boolean {
    return name === 'jp-NotebookPanel';
  }

  readonly content = (() => {
    const { cells } = this;
    return {
      activeCellIndex: 0,
      get widgets() {
        return cells.map(({ id, source }) => ({
          model: { id, type: 'code', sharedModel: { source } }
        }));
      },
      model: {
        sharedModel: {
          insertCell: (index: number, cell: { source: string }) =>
            cells.splice(index, 0, { id: `c${cells.length}`, source: cell.source })
        }
      }
    };
  })();

  get sessionContext() {
    const kernel = {
      status: this.status,
      requestExecute: (request: unknown) => {
        this.asked.push(request);
        return { done: Promise.resolve({ content: this.reply }) };
      }
    };
    return { ready: Promise.resolve(), session: { kernel: this.hasKernel ? kernel : null } };
  }
}

let notebook: FakeNotebook;
let open: FakeNotebook[];
const execute = vi.fn();
const activateById = vi.fn();

function made(): Notebooks {
  const shell = { currentWidget: null, widgets: () => open, activateById };
  const currentChanged = new Signal(shell);
  const contents = { get: () => Promise.reject(new Error('no such file')) };
  const serviceManager = { contents, kernelspecs: { specs: { default: 'python3' } } };
  const app = { shell: { ...shell, currentChanged }, commands: { execute }, serviceManager };
  return new Notebooks(app as unknown as JupyterFrontEnd, plainTexts);
}

beforeEach(() => {
  vi.clearAllMocks();
  notebook = new FakeNotebook();
  open = [notebook];
  execute.mockImplementation(async () => notebook);
});

describe('Notebooks', () => {
  it('puts a cell below the active one and runs it', async () => {
    const notebooks = made();
    expect(notebooks.activeSource).toContain('def fit');
    await notebooks.insert('1 + 1', { runs: true });
    expect(notebook.cells.map(({ source }) => source)[1]).toBe('1 + 1');
    expect(activateById).toHaveBeenCalledWith('notebook');
    expect(execute).toHaveBeenCalledWith('notebook:run-cell');
    expect(notebook.content.activeCellIndex).toBe(1);
  });

  it('makes a notebook if none is open', async () => {
    open = [];
    const notebooks = made();
    expect(notebooks.activeSource).toBeNull();
    await notebooks.insert('1 + 1', { runs: false });
    expect(execute.mock.calls).toEqual([['notebook:create-new', { kernelName: 'python3' }]]);
    expect(notebook.cells.length).toBe(2);
  });

  it('asks the kernel without leaving a trace in the notebook', async () => {
    const data = { 'application/json': { fields: [] } };
    notebook.reply = { status: 'ok', user_expressions: { answer: { status: 'ok', data } } };
    expect(await made().ask('f()')).toEqual({ fields: [] });
    expect(notebook.asked[0]).toMatchObject({
      code: '',
      silent: true,
      user_expressions: { answer: 'f()' }
    });
  });

  it('does not wait for a kernel that is busy, or not there', async () => {
    notebook.status = 'busy';
    await expect(made().ask('f()')).rejects.toThrow('busy');
    notebook.hasKernel = false;
    await expect(made().ask('f()')).rejects.toThrow('no kernel');
  });

  it('goes to a cell, and says if it is gone', async () => {
    const notebooks = made();
    notebook.cells.push({ id: 'wanted', source: '' });
    await notebooks.reveal('a.ipynb', 'wanted');
    expect(execute).toHaveBeenCalledWith('docmanager:open', { path: 'a.ipynb' });
    expect(notebook.content.activeCellIndex).toBe(1);
    await expect(notebooks.reveal('a.ipynb', 'gone')).rejects.toThrow('not in a.ipynb any more');
    execute.mockResolvedValue(undefined);
    await expect(notebooks.reveal('b.ipynb', null)).rejects.toThrow('not there any more');
  });
});

it.each([
  [{ status: 'ok', user_expressions: { answer: { status: 'error', evalue: 'no module' } } }],
  [{ status: 'error', evalue: 'no module' }]
])('an answer that is an error tells which (%#)', content => {
  expect(() => readAnswer(content, plainTexts)).toThrow('The kernel cannot tell: no module');
});
