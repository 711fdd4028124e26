import { CommandRegistry } from '@lumino/commands';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { CommandIds } from '../../src/commands/ids';
import { addNotebookCommands } from '../../src/commands/notebook';
import { targets } from '../../src/commands/target';
import { plainTexts } from '../../src/graph/style';
import type { ICovalentLab } from '../../src/tokens';
import { detail, NODE } from '../fakes';

const { warning, error } = vi.hoisted(() => ({ warning: vi.fn(), error: vi.fn() }));
vi.mock('@jupyterlab/apputils', () => ({ Notification: { warning, error } }));

const inserted: string[] = [];
let commands: CommandRegistry;
let looked: { dispatchId: string | null; nodeId: number | null };
let activeSource: string | null;
let origin: unknown;
const reveal = vi.fn(async () => undefined);
const runActive = vi.fn(async () => undefined);
const editArguments = vi.fn();
const ask = vi.fn(async (expression: string): Promise<unknown> =>
  expression.includes('form_of')
    ? { fields: [{ name: 'n', text: '1', summary: '1' }] }
    : { values: { n: 'True' }, errors: {} }
);

beforeEach(() => {
  vi.clearAllMocks();
  inserted.length = 0;
  looked = { dispatchId: 'front', nodeId: null };
  activeSource = null;
  origin = null;
  commands = new CommandRegistry();
  const lab = {
    detail: async (id: string) => ({ ...detail(id, { name: 'flow' }), origin }),
    node: async () => ({ ...NODE, function_name: 'fit' })
  };
  addNotebookCommands(commands, {
    lab: lab as unknown as ICovalentLab,
    notebooks: {
      get activeSource() {
        return activeSource;
      },
      insert: async source => void inserted.push(source),
      runActive,
      ask,
      reveal
    },
    texts: plainTexts,
    target: targets({
      dispatchId: () => looked.dispatchId,
      node: () =>
        looked.dispatchId === null || looked.nodeId === null
          ? null
          : { dispatchId: looked.dispatchId, nodeId: looked.nodeId }
    }),
    editArguments
  });
});

describe('commands with notebooks', () => {
  it('are about what their arguments name, or else what is looked at', async () => {
    await commands.execute(CommandIds.loadResult);
    await commands.execute(CommandIds.loadResult, { dispatchId: 'named' });
    expect(inserted.map(code => /"(\w+)"/.exec(code)?.[1])).toEqual(['front', 'named']);
    looked.dispatchId = null;
    expect(commands.isEnabled(CommandIds.loadResult)).toBe(false);
    expect(commands.isEnabled(CommandIds.debugNode, { dispatchId: 'a' })).toBe(false);
    expect(commands.isEnabled(CommandIds.debugNode, { dispatchId: 'a', nodeId: 0 })).toBe(true);
  });

  it('run again with the arguments of the form, as the kernel reads them', async () => {
    editArguments.mockImplementation(async ({ name, fields, check }) => {
      expect([name, fields[0].name]).toEqual(['flow', 'n']);
      return { changes: (await check({ n: 'true' })).values, reusesResults: true };
    });
    await commands.execute(CommandIds.rerunWith);
    expect(ask.mock.calls[1][0]).toContain('{\\"n\\":\\"true\\"}');
    expect(inserted[0]).toContain('n=True');
    editArguments.mockResolvedValue(null);
    await commands.execute(CommandIds.rerunWith);
    expect(inserted.length).toBe(1);
  });

  it('tell what the kernel could not do', async () => {
    ask.mockRejectedValueOnce(new Error('The kernel is busy.'));
    await commands.execute(CommandIds.rerunWith);
    expect(error).toHaveBeenCalledWith('The kernel is busy.', { autoClose: false });
  });

  it('put the function of the active cell in the place of a node, if it has one', async () => {
    looked.nodeId = 2;
    activeSource = 'x = 1';
    await commands.execute(CommandIds.replaceNode);
    expect(warning.mock.calls[0][0]).toContain('defines a function fit');
    expect(inserted).toEqual([]);
    activeSource = 'def fit(x):\n    return 2 * x';
    await commands.execute(CommandIds.replaceNode);
    expect(runActive).toHaveBeenCalledOnce();
    expect(inserted[0]).toContain('{"fit": fit}');
  });

  it('copy what loads the result', async () => {
    const writeText = vi.fn(async () => undefined);
    vi.stubGlobal('navigator', { clipboard: { writeText } });
    await commands.execute(CommandIds.copyExpression, { dispatchId: 'a' });
    vi.unstubAllGlobals();
    expect(writeText).toHaveBeenCalledWith(
      'import covalent_lab as ct\n\nct.get_result("a", wait=True).result'
    );
  });

  it('open the cell that dispatched, or say that it is not known', async () => {
    await commands.execute(CommandIds.openOrigin);
    expect(error.mock.calls[0][0]).toContain('not known');
    origin = { notebook: null, cell_id: null, script: '/fit.py' };
    await commands.execute(CommandIds.openOrigin);
    expect(error.mock.calls[1][0]).toContain('/fit.py');
    origin = { notebook: 'a.ipynb', cell_id: 'c' };
    await commands.execute(CommandIds.openOrigin);
    expect(reveal).toHaveBeenCalledWith('a.ipynb', 'c');
  });

  it('debug a node, and load its output', async () => {
    await commands.execute(CommandIds.debugNode, { dispatchId: 'a', nodeId: 3 });
    await commands.execute(CommandIds.loadOutput, { dispatchId: 'a', nodeId: 3 });
    expect(inserted[0]).toContain('%covalent debug a 3');
    expect(inserted[1]).toContain('get_node_result(3)');
  });
});
