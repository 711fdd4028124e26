/**
 * Opens dispatches that something points to: links marked `data-covalent-dispatch` in trusted HTML, the event that the
 * MIME renderer sends (a renderer has no access to commands), and `?covalent=ID` in the address of JupyterLab.
 */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { OPEN_EVENT, type IOpenRequest } from '../contract/open';
import { ICovalentViews } from '../tokens';

export const linksPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:links',
  description: 'Opens dispatches from links in notebook outputs.',
  autoStart: true,
  requires: [ICovalentViews],
  activate: (app: JupyterFrontEnd, views: ICovalentViews) => {
    const asked = new URLSearchParams(window.location.search).get('covalent');
    if (asked !== null && asked !== '') {
      void app.restored.then(() => views.open(asked));
    }
    document.addEventListener(OPEN_EVENT, event => {
      const { dispatchId, nodeId } = (event as CustomEvent<IOpenRequest>).detail;
      views.open(dispatchId, nodeId);
    });
    document.addEventListener('click', event => {
      const target = event.target instanceof Element ? event.target : null;
      const link = target?.closest<HTMLElement>('[data-covalent-dispatch]');
      const dispatchId = link?.dataset.covalentDispatch;
      if (dispatchId !== undefined && dispatchId !== '') {
        event.preventDefault();
        const node = Number(link?.dataset.covalentNode ?? NaN);
        views.open(dispatchId, Number.isInteger(node) ? node : undefined);
      }
    });
  }
};
