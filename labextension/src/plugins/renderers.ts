/** Draws what JupyterLab and its other extensions have renderers for, such as plots, in outputs and panels. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { DisposableDelegate } from '@lumino/disposable';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { RENDER_EVENT, type IRenderRequest } from '../contract/open';
import { messageOf } from '../model';

export const renderersPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:renderers',
  description: 'Draws previews of values with the renderers of JupyterLab.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (_: JupyterFrontEnd, registry: IRenderMimeRegistry) => {
    document.addEventListener(RENDER_EVENT, event => {
      const request = (event as CustomEvent<IRenderRequest>).detail;
      const { data, host, mimeType } = request;
      // Nobody has said that the value can be trusted.
      if (registry.getFactory(mimeType)?.safe !== true || !host.isConnected) {
        return;
      }
      const renderer = registry.createRenderer(mimeType);
      const model = registry.createModel({ data: { [mimeType]: data as never }, trusted: false });
      Widget.attach(renderer, host);
      request.drawn = new DisposableDelegate(() => remove(renderer));
      renderer.renderModel(model).catch((reason: unknown) => {
        host.textContent = messageOf(reason);
      });
    });
  }
};

/** Its host may have left the page already, which Lumino would take for a mistake. */
function remove(renderer: Widget): void {
  if (renderer.isAttached && !renderer.node.isConnected) {
    MessageLoop.sendMessage(renderer, Widget.Msg.AfterDetach);
  }
  renderer.dispose();
}
