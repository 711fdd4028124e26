import { Signal } from '@lumino/signaling';
import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { IExecutorsClient } from '../../src/api';
import { openDashboard } from '../../src/commands/executors';
import type { ClusterView, ExecutorSetting, ExecutorTest, ExecutorView } from '../../src/contract';
import { plainTexts } from '../../src/graph/style';
import { ExecutorsModel, readSetting } from '../../src/model';
import { ExecutorList } from '../../src/widgets/executors';

function setting(name: string, changes: Partial<ExecutorSetting> = {}): ExecutorSetting {
  return {
    name,
    kind: 'text',
    value: '',
    default: '',
    is_set: false,
    doc: `About ${name}.`,
    ...changes
  };
}

function executor(name: string, changes: Partial<ExecutorView> = {}): ExecutorView {
  return {
    name,
    class_name: 'SomeExecutor',
    summary: 'Runs tasks somewhere.',
    origin: `package:${name}`,
    is_default: false,
    is_started: false,
    is_outdated: false,
    trouble: '',
    queued: 0,
    running: 0,
    settings: [],
    ...changes
  };
}

const STOPPED: ClusterView = {
  is_running: false,
  scheduler_address: '',
  dashboard_link: '',
  pid: null,
  trouble: '',
  workers: []
};
const RUNNING: ClusterView = {
  ...STOPPED,
  is_running: true,
  scheduler_address: 'tcp://127.0.0.1:1',
  dashboard_link: 'http://127.0.0.1:2/status',
  pid: 3,
  workers: [{ name: '0', host: '127.0.0.1', pid: 4, threads: 2, memory_limit: 1e9, folder: '/x' }]
};
const PASSED: ExecutorTest = {
  name: 'local',
  dispatch_id: 'abc',
  status: 'COMPLETED',
  is_passed: true,
  summary: 'A task ran on vm.',
  host: 'vm',
  python: '3.11.7',
  program: '/usr/bin/python',
  waited_s: 0.25,
  ran_s: 0.001
};

const client = {
  list: vi.fn<IExecutorsClient['list']>(),
  health: vi.fn<IExecutorsClient['health']>(),
  configure: vi.fn<IExecutorsClient['configure']>(),
  test: vi.fn<IExecutorsClient['test']>(),
  cluster: vi.fn<IExecutorsClient['cluster']>(),
  order: vi.fn<IExecutorsClient['order']>(),
  clusterLog: vi.fn<IExecutorsClient['clusterLog']>()
};
const activity = new Signal<object, void>({});
const openDispatch = vi.fn();
const openLink = vi.fn();
let model: ExecutorsModel;

async function show(...items: ExecutorView[]): Promise<void> {
  client.list.mockResolvedValue({ items });
  model = new ExecutorsModel({ client, activity });
  await model.refresh();
  render(<ExecutorList {...{ model, openDispatch, openLink }} texts={plainTexts} />);
}

/** Does something, and waits until the answers to it have been drawn. */
async function drawn(action: () => void): Promise<void> {
  await act(async () => {
    action();
    await Promise.resolve();
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
}

function card(name: string): ReturnType<typeof within> {
  return within(screen.getByRole('region', { name }));
}

beforeEach(() => {
  vi.clearAllMocks();
  client.cluster.mockResolvedValue(STOPPED);
});

afterEach(() => {
  cleanup();
  model.dispose();
  vi.useRealTimers();
});

describe('the view of executors', () => {
  it('shows a card for each, with sign, word and counts', async () => {
    await show(
      executor('local', { is_default: true, is_started: true, running: 2, queued: 5 }),
      executor('broken', { trouble: 'It cannot be loaded.', settings: [] }),
      executor('ssh')
    );
    expect(card('local').getByText('2 running, 5 waiting')).toBeTruthy();
    expect(card('local').getByRole('img', { name: 'Usable' })).toBeTruthy();
    expect(card('local').getByText('default')).toBeTruthy();
    expect(card('broken').getByText('It cannot be loaded.')).toBeTruthy();
    expect(card('broken').getByRole('img', { name: 'Not usable' })).toBeTruthy();
    expect(card('ssh').getByRole('img', { name: 'Not asked yet' })).toBeTruthy();
  });

  it('checks one, and shows what it says', async () => {
    await show(executor('dask'));
    client.health.mockResolvedValue({
      name: 'dask',
      is_usable: true,
      summary: 'Connected.',
      facts: [{ name: 'Workers', value: '4' }],
      links: [{ name: 'Dashboard', url: 'http://x/status' }],
      took_s: 0.1
    });
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Check dask' })));
    expect(client.health).toHaveBeenCalledWith('dask');
    expect(card('dask').getByText('Connected.')).toBeTruthy();
    expect(card('dask').getByText('Workers').parentElement?.textContent).toBe('Workers4');
    fireEvent.click(card('dask').getByRole('button', { name: 'Dashboard' }));
    expect(openLink).toHaveBeenCalledWith('http://x/status');
  });

  it('runs a test task, shows where it ran, and opens its dispatch', async () => {
    await show(executor('local'));
    let answer = (_: ExecutorTest) => {};
    client.test.mockReturnValue(new Promise(done => (answer = done)));
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Test local' })));
    expect(screen.getByRole('button', { name: 'Test local' })).toHaveProperty('disabled', true);
    expect(card('local').getByRole('img', { name: 'Asking…' })).toBeTruthy();
    await drawn(() => answer(PASSED));
    expect(card('local').getByRole('status').textContent).toContain(
      'Test passed. A task ran on vm.'
    );
    fireEvent.click(card('local').getByRole('button', { name: 'Open the test' }));
    expect(openDispatch).toHaveBeenCalledWith('abc');
  });

  it('tells why a request failed, and goes on', async () => {
    await show(executor('local'));
    client.test.mockRejectedValue(new Error('The server cannot be reached.'));
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Test local' })));
    expect(screen.getByRole('alert').textContent).toBe('The server cannot be reached.');
    expect(screen.getByRole('button', { name: 'Test local' })).toHaveProperty('disabled', false);
  });

  it('sends the settings that were changed, and keeps what was typed if they are refused', async () => {
    const view = executor('ssh', {
      settings: [
        setting('hostname', { value: 'old', is_set: true }),
        setting('workers', { kind: 'number', default: 4, value: 4 }),
        setting('retry', { kind: 'flag', default: true, value: true }),
        setting('password', { kind: 'secret', value: '***', is_set: true }),
        setting('port', { kind: 'any', default: null, value: null })
      ]
    });
    await show(view);
    const save = () => fireEvent.click(screen.getByRole('button', { name: 'Save settings' }));
    expect(screen.getByRole('button', { name: 'Save settings' })).toHaveProperty('disabled', true);
    const type = (name: string, value: string) =>
      fireEvent.change(screen.getByLabelText(name), { target: { value } });
    type('workers', 'many');
    await drawn(save);
    expect(client.configure).not.toHaveBeenCalled();
    expect(screen.getByLabelText('workers').getAttribute('aria-invalid')).toBe('true');
    expect(screen.getByRole('alert').textContent).toBe('Write a number.');

    type('workers', '8');
    type('hostname', '');
    type('retry', 'false');
    type('port', '22');
    client.configure.mockRejectedValueOnce(new Error('No such host.'));
    await drawn(save);
    const sent = { hostname: null, workers: 8, retry: false, port: 22 };
    expect(client.configure).toHaveBeenCalledWith('ssh', sent);
    expect(screen.getByRole('alert').textContent).toBe('No such host.');
    expect(screen.getByLabelText('workers')).toHaveProperty('value', '8');

    client.configure.mockResolvedValueOnce({ ...view, is_outdated: true, settings: [] });
    await drawn(save);
    expect(screen.queryByRole('alert')).toBeNull();
    expect(card('ssh').getByText(/take effect when its present tasks have ended/)).toBeTruthy();
  });

  it('starts, scales and stops the cluster, and shows its log', async () => {
    await show(executor('dask'));
    client.order.mockResolvedValueOnce(RUNNING);
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Start cluster' })));
    expect(screen.getByText('running, workers: 1')).toBeTruthy();
    expect(screen.getByText('threads: 2, memory: 1.0 GB, process: 4')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Dashboard' }));
    expect(openLink).toHaveBeenCalledWith(RUNNING.dashboard_link);
    fireEvent.change(screen.getByLabelText('Workers'), { target: { value: '3' } });
    client.order.mockRejectedValueOnce(new Error('No memory.'));
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Scale' })));
    expect(client.order).toHaveBeenLastCalledWith({ action: 'scale', workers: 3 });
    expect(screen.getByRole('alert').textContent).toBe('No memory.');
    client.clusterLog.mockResolvedValue({ path: '/x', text: 'Scheduler at ...' });
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Show log' })));
    expect(screen.getByLabelText('Log of the cluster').textContent).toBe('Scheduler at ...');
    client.order.mockResolvedValueOnce(STOPPED);
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Stop cluster' })));
    expect(screen.getByText('stopped')).toBeTruthy();
  });

  it('loads the counts again while it is watched, once for many changes', async () => {
    vi.useFakeTimers();
    await show(executor('local'));
    activity.emit();
    await vi.runAllTimersAsync();
    expect(client.list).toHaveBeenCalledTimes(1);
    model.isWatched = true;
    await vi.runAllTimersAsync();
    activity.emit();
    activity.emit();
    await vi.runAllTimersAsync();
    expect(client.list).toHaveBeenCalledTimes(3);
    model.dispose();
    activity.emit();
    await vi.runAllTimersAsync();
    expect(client.list).toHaveBeenCalledTimes(3);
  });

  it('begins with the default executor', async () => {
    await show(executor('dask'), executor('local', { is_default: true }), executor('ssh'));
    const names = screen.getAllByRole('heading', { level: 3 }).map(heading => heading.textContent);
    expect(names).toEqual(['local', 'dask', 'ssh']);
  });

  it('says what to do where there are none', async () => {
    await show();
    expect(screen.getByText(/found no executors.*pip check/)).toBeTruthy();
  });

  it('says why the list is not there', async () => {
    client.list.mockRejectedValueOnce(new Error('covalent_lab is not running.'));
    model = new ExecutorsModel({ client, activity });
    await model.refresh();
    render(<ExecutorList {...{ model, openDispatch, openLink }} texts={plainTexts} />);
    expect(screen.getByText('covalent_lab is not running.')).toBeTruthy();
    client.list.mockResolvedValue({ items: [executor('local')] });
    await drawn(() => fireEvent.click(screen.getByRole('button', { name: 'Try again' })));
    expect([screen.queryByRole('alert'), screen.getAllByRole('region').length]).toEqual([null, 1]);
  });
});

it.each([
  ['text', '5', '5'],
  ['text', '', null],
  ['secret', 'env:X', 'env:X'],
  ['number', '1.5', 1.5],
  ['any', 'word', 'word'],
  ['any', '{"a": 1}', { a: 1 }],
  ['list', '["a"]', ['a']],
  ['number', ' ', null]
] as const)('reads a %s setting from %j', (kind, text, value) => {
  expect(readSetting(setting('x', { kind }), text)).toEqual(value);
});

// The command and its argument are those of dask-labextension 6: `CommandIDs.populateAndLaunchLayout`, whose `execute`
// takes `url` for the dashboard and then launches the default layout.
it('opens a dashboard with the extension of Dask where that is there', async () => {
  const commands = { hasCommand: vi.fn(() => true), execute: vi.fn() };
  const open = vi.spyOn(window, 'open').mockReturnValue(null);
  await openDashboard(commands as never, 'http://x');
  expect(commands.execute).toHaveBeenCalledWith('dask:populate-and-launch-layout', {
    url: 'http://x'
  });
  commands.hasCommand.mockReturnValue(false);
  await openDashboard(commands as never, 'http://x');
  expect(open).toHaveBeenCalledWith('http://x', '_blank', 'noopener');
});
