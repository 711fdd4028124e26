/** The workflow that was drawn last, in the main area: graph and panel as for a dispatch, without what only runs have. */

import type { Message } from '@lumino/messaging';
import { SplitPanel, Widget } from '@lumino/widgets';

import type { ITexts } from '../../graph/style';
import type { PreviewModel } from '../../model';
import type { IGraphView } from '../dagview/canvas';
import { GraphFrame } from '../dagview/frame';
import { PreviewPanel } from './panel';

/** Graph beside panel; the model belongs to whoever made it. */
export class PreviewView extends SplitPanel {
  constructor(options: { model: PreviewModel; texts: ITexts; view: Partial<IGraphView> }) {
    super({ orientation: 'horizontal', spacing: 1 });
    const { model, texts } = options;
    this.addClass('cvl-DispatchView-split');
    this.addClass('cvl-Preview');
    this._model = model;
    const graph = new Widget();
    graph.addClass('cvl-GraphWidget');
    this._frame = new GraphFrame({
      host: graph.node,
      texts,
      view: options.view,
      isLive: false,
      fileName: () => model.bundle?.name ?? 'workflow',
      onSelect: id => {
        model.selection = id;
      },
      onOpen: () => undefined
    });
    this._empty = document.createElement('p');
    this._empty.className = 'cvl-Preview-empty';
    this._empty.textContent = texts.__('Draw a workflow in a notebook, with lattice.draw(…).');
    graph.node.append(this._empty);
    this.addWidget(graph);
    this.addWidget(new PreviewPanel({ model, texts }));
    this.setRelativeSizes([2, 1]);
    model.changed.connect(this._onChanged, this);
    model.selectionChanged.connect(this._onSelection, this);
    this._onChanged();
  }

  refreshTheme(): void {
    this._frame.canvas.refreshTheme();
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._model.changed.disconnect(this._onChanged, this);
      this._model.selectionChanged.disconnect(this._onSelection, this);
      this._frame.dispose();
      super.dispose();
    }
  }

  protected onActivateRequest(msg: Message): void {
    this._frame.canvas.focus();
  }

  private _onChanged(): void {
    const { structure } = this._model;
    this._empty.hidden = structure !== null;
    if (structure !== null) {
      this._frame.setStructure(structure);
    }
  }

  private _onSelection(_: PreviewModel, id: number | null): void {
    this._frame.canvas.select(id);
  }

  private readonly _model: PreviewModel;
  private readonly _frame: GraphFrame;
  private readonly _empty: HTMLElement;
}
