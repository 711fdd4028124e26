import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { ConfigField } from '../../src/contract';
import { plainTexts } from '../../src/graph/style';
import { ConfigModel, LogModel, OverviewModel } from '../../src/model';
import { Running } from '../../src/widgets/dispatches';
import { Logs } from '../../src/widgets/logs';
import { Settings, SettingsView } from '../../src/widgets/settings';
import { FakeFeed, FakeRest } from '../fakes';

const { dialogs } = vi.hoisted(() => ({ dialogs: [] as boolean[] }));
vi.mock('@jupyterlab/apputils', () => ({
  Dialog: { cancelButton: () => ({}), warnButton: () => ({}) },
  showDialog: async () => ({ button: { accept: dialogs.shift() ?? false } })
}));

function field(name: string, change: Partial<ConfigField> = {}): ConfigField {
  return {
    name,
    section: name.split('.')[0],
    type: 'text',
    value: '',
    choices: [],
    is_secret: false,
    is_set: true,
    variable: '',
    is_read_only: false,
    ...change
  };
}

let rest: FakeRest;

beforeEach(() => {
  rest = new FakeRest();
  dialogs.length = 0;
});

afterEach(cleanup);

/** The model has asked, was answered, and the frame with the answer has been drawn. */
async function drawn(action: () => void): Promise<void> {
  await act(async () => {
    action();
    await Promise.resolve();
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
}

describe('Settings', () => {
  async function shown(): Promise<ConfigModel> {
    rest.form.fields = [
      field('sdk.log_level', { value: 'warning' }),
      field('sdk.no_cluster', { type: 'boolean', value: false }),
      field('sdk.results_dir', { value: '/x', variable: 'COVALENT_RESULTS_DIR' }),
      field('executors.slurm.nodes', { type: 'integer', value: 1 }),
      field('executors.slurm.options', { type: 'json', value: ['a'] }),
      field('executors.qpu.api_token', { value: null, is_secret: true }),
      field('dispatcher.durability', {
        value: 'full',
        choices: ['full', 'normal'],
        is_read_only: true
      })
    ];
    const model = new ConfigModel({ rest });
    await model.load();
    render(<Settings model={model} texts={plainTexts} />);
    return model;
  }

  it('saves what was entered, each in its type, and nothing else', async () => {
    await shown();
    const save = screen.getByRole('button', { name: 'Save' });
    expect(save).toHaveProperty('disabled', true);
    await drawn(() => {
      fireEvent.change(screen.getByLabelText('log_level'), { target: { value: 'debug' } });
      fireEvent.click(screen.getByLabelText('no_cluster'));
      fireEvent.change(screen.getByLabelText('slurm.nodes'), { target: { value: '4' } });
      fireEvent.change(screen.getByLabelText('slurm.options'), { target: { value: '["b", 2' } });
    });
    expect(screen.getByLabelText('slurm.options').getAttribute('aria-invalid')).toBe('true');
    fireEvent.change(screen.getByLabelText('slurm.options'), { target: { value: '["b", 2]' } });
    fireEvent.change(screen.getByLabelText('qpu.api_token'), { target: { value: 's3cret' } });
    await drawn(() => fireEvent.click(save));
    expect(rest.saved).toEqual([
      {
        'sdk.log_level': 'debug',
        'sdk.no_cluster': true,
        'executors.slurm.nodes': 4,
        'executors.slurm.options': ['b', 2],
        'executors.qpu.api_token': 's3cret'
      }
    ]);
    expect(save).toHaveProperty('disabled', true);
  });

  it('keeps what was entered if it cannot be saved, and forgets it when asked to', async () => {
    const model = await shown();
    await drawn(() =>
      fireEvent.change(screen.getByLabelText('log_level'), { target: { value: 'x' } })
    );
    rest.error = new Error('sdk.log_level must be something else.');
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Save' })));
    expect(screen.getByRole('alert').textContent).toContain('must be something else');
    expect(screen.getByLabelText('log_level')).toHaveProperty('value', 'x');
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Cancel' })));
    expect(screen.getByLabelText('log_level')).toHaveProperty('value', 'warning');
    expect([model.isDirty, screen.queryByRole('alert')]).toEqual([false, null]);
  });

  it('says why they could not be read, and reads them again when asked to', async () => {
    rest.error = new Error('The server cannot be reached.');
    await shown();
    expect(screen.getByRole('alert').textContent).toContain('The server cannot be reached.');
    rest.error = null;
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Try again' })));
    expect([screen.queryByRole('alert'), screen.queryByLabelText('log_level') === null]).toEqual([
      null,
      false
    ]);
  });

  it('marks what cannot be changed here, and says why', async () => {
    await shown();
    const overridden = screen.getByLabelText('results_dir');
    expect(overridden).toHaveProperty('disabled', true);
    const note = document.getElementById(overridden.getAttribute('aria-describedby') ?? '');
    expect(note?.textContent).toContain('COVALENT_RESULTS_DIR');
    fireEvent.click(screen.getByRole('tab', { name: 'Server (1)' }));
    expect(screen.getByLabelText('durability')).toHaveProperty('disabled', true);
    expect(screen.getAllByText('Read only').length).toBe(2);
  });

  it('finds settings by name, on both sides', async () => {
    await shown();
    fireEvent.change(screen.getByRole('searchbox'), { target: { value: 'slurm' } });
    expect(screen.getByRole('tab', { name: 'Client (2)' })).toBeTruthy();
    expect(screen.queryByLabelText('log_level')).toBeNull();
    fireEvent.change(screen.getByRole('searchbox'), { target: { value: 'nothing' } });
    expect(screen.getByText('No setting matches.')).toBeTruthy();
  });

  it('is not left with unsaved changes unasked', async () => {
    const model = await shown();
    const view = new SettingsView({ model, texts: plainTexts });
    expect(await view.mayClose()).toBe(true);
    model.enter(model.fields[0], 'debug');
    dialogs.push(false, true);
    expect([await view.mayClose(), await view.mayClose()]).toEqual([false, true]);
    view.dispose();
  });
});

describe('Logs', () => {
  async function shown(count: number): Promise<void> {
    rest.log.items = Array.from({ length: Math.min(count, 50) }, (_, number) => ({
      number,
      time: `2026-01-02 03:04:${10 + number},000`,
      level: 'ERROR',
      logger: 'covalent_lab.store',
      message: number === 0 ? 'it broke\nTraceback (most recent call last):\nKeyError: 1' : 'again'
    }));
    rest.log.total = count;
    const model = new LogModel({ rest });
    await model.showPage(0);
    render(<Logs model={model} texts={plainTexts} />);
  }

  it('shows messages with their tracebacks folded, and goes to the next page', async () => {
    await shown(60);
    const [, row] = screen.getAllByRole('row');
    expect(row.textContent).toContain('2026-01-02 03:04:10');
    expect(within(row).getByText('2 more lines')).toBeTruthy();
    expect(within(row).getByRole('button', { name: 'Copy message' })).toBeTruthy();
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Next page' })));
    expect(rest.logQueries.at(-1)).toMatchObject({ offset: 50, count: 50 });
  });

  it('is searched, filtered and sorted by the server', async () => {
    await shown(1);
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: /Level/ })));
    expect(rest.logQueries.at(-1)).toMatchObject({ sort: 'level', direction: 'desc', offset: 0 });
    const select = screen.getByLabelText('Least severity');
    await drawn(() => fireEvent.change(select, { target: { value: 'WARNING' } }));
    expect(rest.logQueries.at(-1)).toMatchObject({ level: 'WARNING' });
    vi.useFakeTimers();
    fireEvent.change(screen.getByRole('searchbox'), { target: { value: 'disk' } });
    await vi.advanceTimersByTimeAsync(500);
    vi.useRealTimers();
    expect(rest.logQueries.at(-1)).toMatchObject({ search: 'disk' });
  });

  it('says why it could not be read, and reads it again when asked to', async () => {
    rest.error = new Error('The server cannot be reached.');
    await shown(1);
    expect(screen.getByRole('alert').textContent).toContain('The server cannot be reached.');
    rest.error = null;
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Try again' })));
    expect([screen.queryByRole('alert'), screen.getAllByRole('row').length]).toEqual([null, 2]);
  });

  it('says what an empty log means', async () => {
    await shown(0);
    expect(screen.getByText(/Nothing was logged yet/)).toBeTruthy();
  });
});

it('the status bar counts what runs, and leads to the list', async () => {
  rest.figures = { ...rest.figures, counts: { RUNNING: 2, STARTING: 1, FAILED: 4 } };
  const overview = new OverviewModel({ rest, feed: new FakeFeed() });
  await overview.load();
  const showList = vi.fn();
  render(<Running overview={overview} texts={plainTexts} showList={showList} />);
  fireEvent.click(screen.getByRole('button', { name: /Covalent: 3 running/ }));
  expect(showList).toHaveBeenCalledOnce();
});
