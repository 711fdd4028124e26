/**
 * Opens dispatches that outputs point to: links marked `data-covalent-dispatch` in trusted HTML, and the event that
 * the MIME renderer sends, since a renderer has no access to commands.
 */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { OPEN_EVENT, type IOpenRequest } from '../contract/open';
import { ICovalentViews } from '../tokens';

export const linksPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:links',
  description: 'Opens dispatches from links in notebook outputs.',
  autoStart: true,
  requires: [ICovalentViews],
  activate: (_: JupyterFrontEnd, views: ICovalentViews) => {
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
