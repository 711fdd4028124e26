/** Pages of the main area, alike for all plugins that show some. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { Widget } from '@lumino/widgets';

import { covalentIcon } from '../icon';

/** What a tab of the main area says. */
interface IPageOptions {
  id: string;
  label: string;
  caption?: string;
}

/** Where a page is put that is not there yet. */
interface IPlace {
  mode?: 'split-bottom' | 'tab-after';
}

/** Makes a page of something, with the sign of this extension on its tab. */
export function pageOf<W extends Widget>(content: W, options: IPageOptions): MainAreaWidget<W> {
  return asPage(new MainAreaWidget({ content }), options);
}

/** The same for widgets of a kind of their own. */
export function asPage<P extends MainAreaWidget>(page: P, options: IPageOptions): P {
  page.title.changed.connect(({ label }) => page.content.node.setAttribute('aria-label', label));
  page.toolbar.hide();
  page.id = options.id;
  page.title.icon = covalentIcon;
  page.title.label = options.label;
  page.title.caption = options.caption ?? '';
  page.title.closable = true;
  return page;
}

/** Brings a page to the front. */
export function showPage(app: JupyterFrontEnd, page: Widget, place: IPlace = {}): void {
  if (!page.isAttached) {
    app.shell.add(page, 'main', { type: 'Covalent', ...place });
  }
  app.shell.activateById(page.id);
}
