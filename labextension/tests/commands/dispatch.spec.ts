import { CommandRegistry } from '@lumino/commands';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { addCommands } from '../../src/commands/dispatch';
import { CommandIds } from '../../src/commands/ids';
import { addNotebookCommands } from '../../src/commands/notebook';
import { POINTED, targets } from '../../src/commands/target';
import type { DispatchStatus, NodeStatus } from '../../src/contract';
import { NODE_STATUSES } from '../../src/contract';
import { plainTexts } from '../../src/graph/style';
import type { NodeKind } from '../../src/graph/structure';
import type { ICovalentLab, ICovalentViews, INotebooks } from '../../src/tokens';

const { info, warning, showDialog } = vi.hoisted(() => ({
  info: vi.fn(),
  warning: vi.fn(),
  showDialog: vi.fn()
}));
vi.mock('@jupyterlab/apputils', () => ({
  Notification: { info, warning, error: vi.fn() },
  Dialog: { cancelButton: () => ({}), warnButton: () => ({}) },
  showDialog
}));

let commands: CommandRegistry;
/** What is under the pointer is `pointed`; `front` is what the view in front shows. */
let statuses: Record<string, DispatchStatus>;
let node: { kind: NodeKind; status: NodeStatus };
let isUnfolded: boolean | null;
const toggleFold = vi.fn();
const cancel = vi.fn(async () => 'Cancelled.');
const remove = vi.fn(async () => 0);

beforeEach(() => {
  vi.clearAllMocks();
  statuses = {};
  isUnfolded = null;
  node = { kind: 'function', status: 'NEW_OBJECT' };
  commands = new CommandRegistry();
  const target = targets(
    {
      dispatchId: isPointed => (isPointed ? 'pointed' : 'front'),
      node: () => ({ dispatchId: 'front', nodeId: 0 })
    },
    { status: id => statuses[id] ?? null, node: () => node }
  );
  const lab = { dispatches: { cancel, remove, find: () => undefined } } as unknown as ICovalentLab;
  addCommands(commands, {
    lab,
    views: {
      get isUnfolded() {
        return isUnfolded;
      },
      toggleFold
    } as unknown as ICovalentViews,
    texts: plainTexts,
    showSidebar: () => undefined,
    target
  });
  addNotebookCommands(commands, {
    lab,
    notebooks: {} as INotebooks,
    texts: plainTexts,
    target,
    editArguments: async () => null
  });
});

function statusesIn(command: string): DispatchStatus[] {
  const all: DispatchStatus[] = ['NEW_OBJECT', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'];
  return all.filter(status => {
    statuses.front = status;
    return commands.isEnabled(command);
  });
}

function nodeStatusesIn(command: string, kind: NodeKind = 'function'): NodeStatus[] {
  return NODE_STATUSES.filter(status => {
    node = { kind, status };
    return commands.isEnabled(command);
  });
}

describe('commands on a dispatch', () => {
  it('are offered in the states in which they can do something', () => {
    expect(statusesIn(CommandIds.cancel)).toEqual(['NEW_OBJECT', 'RUNNING']);
    expect(statusesIn(CommandIds.rerunRest)).toEqual(['FAILED', 'CANCELLED']);
    expect(statusesIn(CommandIds.remove)).toEqual([
      'NEW_OBJECT',
      'COMPLETED',
      'FAILED',
      'CANCELLED'
    ]);
    expect(statusesIn(CommandIds.loadResult)).toEqual(['NEW_OBJECT', 'RUNNING', 'COMPLETED']);
    expect(statusesIn(CommandIds.rerun).length).toBe(5);
  });

  it('are offered where the state is not known: the server will tell', () => {
    expect(commands.isEnabled(CommandIds.cancel, { dispatchId: 'elsewhere' })).toBe(true);
  });

  it('are left out of a context menu where they can do nothing, and greyed elsewhere', () => {
    statuses = { pointed: 'COMPLETED', front: 'COMPLETED' };
    const seen = (args: object) => [
      commands.isVisible(CommandIds.cancel, { ...args }),
      commands.isEnabled(CommandIds.cancel, { ...args })
    ];
    expect([seen(POINTED), seen({})]).toEqual([
      [false, false],
      [true, false]
    ]);
  });

  it('are about what is under the pointer only if they come from its menu', async () => {
    statuses = { pointed: 'COMPLETED', front: 'RUNNING' };
    expect(commands.isEnabled(CommandIds.cancel, { ...POINTED })).toBe(false);
    await commands.execute(CommandIds.cancel);
    expect(cancel).toHaveBeenCalledWith('front');
  });

  it('do not ask whether to delete what cannot be deleted', async () => {
    statuses.front = 'RUNNING';
    await commands.execute(CommandIds.remove);
    expect([showDialog.mock.calls.length, remove.mock.calls.length]).toEqual([0, 0]);
    expect(warning.mock.calls[0][0]).toContain('cancel first');
  });
});

describe('commands on a node', () => {
  it('are offered in the states in which they can do something', () => {
    expect(nodeStatusesIn(CommandIds.cancelNode)).toEqual([
      'NEW_OBJECT',
      'STARTING',
      'RUNNING',
      'PENDING_REUSE',
      'DISPATCHING'
    ]);
    expect(nodeStatusesIn(CommandIds.loadOutput)).toEqual(['COMPLETED']);
    expect(nodeStatusesIn(CommandIds.debugNode)).not.toContain('NEW_OBJECT');
    expect(nodeStatusesIn(CommandIds.replaceNode)).toEqual(['COMPLETED', 'FAILED', 'CANCELLED']);
  });

  it('are not offered for values, but to load them', () => {
    const enabled = [
      CommandIds.cancelNode,
      CommandIds.debugNode,
      CommandIds.replaceNode,
      CommandIds.loadOutput
    ].map(command => nodeStatusesIn(command, 'parameter').length);
    expect(enabled).toEqual([0, 0, 0, 1]);
  });
});

it('a sublattice is unfolded and folded, and nothing else', async () => {
  const { toggleFold: command } = CommandIds;
  expect([commands.isEnabled(command), commands.isVisible(command, { ...POINTED })]).toEqual([
    false,
    false
  ]);
  isUnfolded = false;
  expect([commands.isEnabled(command), commands.label(command)]).toEqual([
    true,
    'Unfold Sublattice'
  ]);
  isUnfolded = true;
  expect(commands.label(command)).toBe('Fold Sublattice');
  await commands.execute(command);
  expect(toggleFold).toHaveBeenCalledOnce();
});
