/**
 * Renders `application/vnd.covalent.lattice+json` in notebook outputs.
 *
 * The graph comes with the output and needs no server. If the output names a dispatch and the server knows it, the
 * statuses are live; otherwise those saved in the output are shown.
 */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

import { Feed, RestClient } from './api';
import { isLatticeBundle } from './contract';
import { textsOf, type ITexts } from './texts';
import { DispatchModel } from './model';
import { DispatchCard } from './widgets/card';

const MIME_TYPE = 'application/vnd.covalent.lattice+json';
const HEIGHT = 320;

/** Connections of all outputs of a page, made when the first one needs them. */
interface IConnections {
  rest: RestClient;
  feed: Feed;
}

class LatticeRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(
    private readonly _mimeType: string,
    private readonly _texts: ITexts,
    private readonly _connect: () => IConnections
  ) {
    super();
    this.addClass('cvl-Mime');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const bundle: unknown = model.data[this._mimeType];
    if (!isLatticeBundle(bundle)) {
      this._clear();
      this.node.textContent = this._texts.__(
        'This output is not a workflow graph that this version can read.'
      );
      return;
    }
    const dispatchId = bundle.dispatch_id ?? null;
    if (this._card?.isLive === true && this._card.dispatchId === dispatchId) {
      // What the server tells is newer than an update of the output, but for what only the kernel knows.
      this._card.setDelivered(bundle.is_delivered === true);
      return;
    }
    this._clear();
    this._card = new DispatchCard({
      host: this.node,
      saved: bundle,
      model: dispatchId === null ? null : new DispatchModel({ ...this._connect(), dispatchId }),
      texts: this._texts,
      height: HEIGHT
    });
    this._watchTheme(this._card);
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._clear();
      super.dispose();
    }
  }

  private _watchTheme(card: DispatchCard): void {
    this._themes = new MutationObserver(() => requestAnimationFrame(() => card.refreshTheme()));
    this._themes.observe(document.body, { attributeFilter: ['data-jp-theme-name'] });
  }

  private _clear(): void {
    this._themes?.disconnect();
    this._card?.dispose();
    this._themes = this._card = null;
    this.node.textContent = '';
  }

  private _card: DispatchCard | null = null;
  private _themes: MutationObserver | null = null;
}

function createRendererFactory(): IRenderMime.IRendererFactory {
  let connections: IConnections | null = null;
  const connect = () => (connections ??= { rest: new RestClient(), feed: new Feed() });
  return {
    safe: true,
    mimeTypes: [MIME_TYPE],
    createRenderer: ({ mimeType, translator }) =>
      new LatticeRenderer(mimeType, textsOf(translator ?? null), connect)
  };
}

const extension: IRenderMime.IExtension = {
  id: 'covalent-lab:renderer',
  description: 'Renders workflow graphs in notebook outputs.',
  rendererFactory: createRendererFactory(),
  rank: 0,
  dataType: 'json'
};

export default extension;
