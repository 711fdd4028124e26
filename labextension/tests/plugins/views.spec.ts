import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { DispatchModel } from '../../src/model';
import { viewsPlugin } from '../../src/plugins/views';
import type { ICovalentLab, ICovalentViews } from '../../src/tokens';
import { FakeFeed, FakeRest } from '../fakes';

const graphDefaults = { orientation: 'down', showParameters: true, showPostprocess: false };
let opened: ReturnType<typeof vi.spyOn>;

/** Views in a page whose main area takes widgets, or has its one document already. */
async function viewsIn(takesWidgets: boolean): Promise<{ views: ICovalentViews; main: Widget[] }> {
  const main: Widget[] = [];
  const add = (widget: Widget) => {
    if (takesWidgets) {
      main.push(widget);
      Object.defineProperty(widget, 'isAttached', { value: true }); // what it contains is not drawn here
    }
  };
  const shell = { add, activateById: () => undefined, currentWidget: null };
  const app = { shell, restored: Promise.resolve(), commands: {} } as unknown as JupyterFrontEnd;
  const createDispatch = (dispatchId: string) =>
    new DispatchModel({ rest: new FakeRest(), feed: new FakeFeed(), dispatchId });
  const lab = { graphDefaults, createDispatch } as unknown as ICovalentLab;
  const views = (await viewsPlugin.activate(app, lab, null, null, null, null)) as ICovalentViews;
  return { views, main };
}

beforeEach(() => {
  HTMLCanvasElement.prototype.getContext = (() => null) as never;
  opened = vi.spyOn(window, 'open').mockImplementation(() => null);
});

afterEach(() => opened.mockRestore());

describe('opening a dispatch', () => {
  it('adds a view to the main area', async () => {
    const { views, main } = await viewsIn(true);
    views.open('a');
    await Promise.resolve();
    expect([main.length, opened.mock.calls.length]).toEqual([1, 0]);
  });

  it('goes to JupyterLab from a page that shows one document', async () => {
    const { views } = await viewsIn(false);
    views.open('a b');
    await Promise.resolve();
    expect(opened.mock.calls[0].slice(1)).toEqual(['_blank', 'noopener']);
    expect(String(opened.mock.calls[0][0])).toMatch(/\/lab\?covalent=a%20b$/);
  });
});
