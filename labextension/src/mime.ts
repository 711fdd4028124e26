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
import type { ILatticeBundle } from './contract';
import { COMPLETED, statesFromColumns } from './graph/states';
import { elapsed, plainTexts } from './graph/style';
import { DispatchModel } from './model';
import { EmbeddedGraph } from './widgets/dagview/embed';

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
    private readonly _connect: () => IConnections
  ) {
    super();
    this.addClass('cvl-Mime');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._clear();
    const bundle: unknown = model.data[this._mimeType];
    if (!isLatticeBundle(bundle)) {
      this.node.textContent = 'This output is not a workflow graph that this version can read.';
      return;
    }
    const dispatchId = bundle.dispatch_id ?? null;
    const embed = new EmbeddedGraph({
      host: this.node,
      texts: plainTexts,
      height: HEIGHT,
      dispatchId
    });
    this._embed = embed;
    this._showSaved(embed, bundle);
    if (dispatchId !== null) {
      this._goLive(embed, dispatchId);
    }
    this._watchTheme(embed);
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._clear();
      super.dispose();
    }
  }

  private _showSaved(embed: EmbeddedGraph, bundle: ILatticeBundle): void {
    const isDispatched = bundle.dispatch_id !== null && bundle.nodes !== undefined;
    const structure = embed.setGraph(bundle.graph, isDispatched);
    const states = statesFromColumns(structure, bundle.nodes ?? null);
    embed.setStates(states);
    const total = structure.count - structure.parameterCount;
    const done = states.status.reduce((sum, code) => sum + (code === COMPLETED ? 1 : 0), 0);
    embed.setHead({
      name: bundle.name,
      status: null,
      completed: done - structure.parameterCount,
      total,
      runtime: null
    });
  }

  private _goLive(embed: EmbeddedGraph, dispatchId: string): void {
    const model = new DispatchModel({ ...this._connect(), dispatchId });
    this._model = model;
    model.changed.connect(() => {
      const { detail, nodes } = model;
      if (detail === null || nodes === null || model.error !== '') {
        return;
      }
      embed.graph.isLive = true;
      embed.setOpenable(model.isDeleted ? null : dispatchId);
      embed.setStates(nodes);
      embed.setHead({
        name: detail.name,
        status: detail.status,
        completed: detail.completed,
        total: detail.total,
        runtime: elapsed(detail.started_at, detail.ended_at, Date.now() / 1000)
      });
    });
    void model.load();
  }

  private _watchTheme(embed: EmbeddedGraph): void {
    this._themes = new MutationObserver(() =>
      requestAnimationFrame(() => embed.graph.refreshTheme())
    );
    this._themes.observe(document.body, { attributeFilter: ['data-jp-theme-name'] });
  }

  private _clear(): void {
    this._themes?.disconnect();
    this._model?.dispose();
    this._embed?.dispose();
    this._themes = this._model = this._embed = null;
    this.node.textContent = '';
  }

  private _embed: EmbeddedGraph | null = null;
  private _model: DispatchModel | null = null;
  private _themes: MutationObserver | null = null;
}

function createRendererFactory(): IRenderMime.IRendererFactory {
  let connections: IConnections | null = null;
  const connect = () => (connections ??= { rest: new RestClient(), feed: new Feed() });
  return {
    safe: true,
    mimeTypes: [MIME_TYPE],
    createRenderer: options => new LatticeRenderer(options.mimeType, connect)
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
