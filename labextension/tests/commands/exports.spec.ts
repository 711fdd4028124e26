import { CommandRegistry } from '@lumino/commands';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { addExportCommands, ExportCommandIds } from '../../src/commands/exports';
import { targets } from '../../src/commands/target';
import { plainTexts } from '../../src/graph/style';

const { exportDispatch, compare } = ExportCommandIds;

let commands: CommandRegistry;
let looked: string | null;
const act = {
  chooseFormat: vi.fn(),
  chooseOther: vi.fn(),
  save: vi.fn(),
  openComparison: vi.fn()
};

beforeEach(() => {
  Object.values(act).forEach(mock => mock.mockReset());
  commands = new CommandRegistry();
  looked = null;
  const target = targets({ dispatchId: () => looked, node: () => null });
  addExportCommands(commands, { texts: plainTexts, target, ...act });
});

describe('the export of a dispatch', () => {
  it('asks for the format, unless it is told', async () => {
    act.chooseFormat.mockResolvedValue('svg');
    await commands.execute(exportDispatch, { dispatchId: 'a' });
    await commands.execute(exportDispatch, { dispatchId: 'a', format: 'html' });
    expect(act.save.mock.calls).toEqual([
      ['a', 'svg'],
      ['a', 'html']
    ]);
    expect(act.chooseFormat).toHaveBeenCalledTimes(1);
  });

  it('writes nothing if the question was left, or no dispatch is looked at', async () => {
    act.chooseFormat.mockResolvedValue(null);
    expect(commands.isEnabled(exportDispatch)).toBe(false);
    looked = 'a';
    expect(commands.isEnabled(exportDispatch)).toBe(true);
    await commands.execute(exportDispatch);
    expect(act.save).not.toHaveBeenCalled();
  });
});

describe('the comparison of dispatches', () => {
  it('takes two that are selected', async () => {
    await commands.execute(compare, { dispatchIds: ['a', 'b'] });
    expect(act.openComparison).toHaveBeenCalledWith('a', 'b');
    expect(act.chooseOther).not.toHaveBeenCalled();
  });

  it('asks for the other one otherwise', async () => {
    looked = 'a';
    act.chooseOther.mockResolvedValueOnce('c').mockResolvedValueOnce(null);
    await commands.execute(compare);
    await commands.execute(compare, { dispatchIds: ['x'] });
    expect(act.chooseOther.mock.calls).toEqual([['a'], ['a']]);
    expect(act.openComparison.mock.calls).toEqual([['a', 'c']]);
  });

  it('is not offered without a dispatch', () => {
    expect(commands.isEnabled(compare)).toBe(false);
    expect(commands.isEnabled(compare, { dispatchIds: ['a', 'b'] })).toBe(true);
  });
});
