/** The graph of a dispatch in its view, or the same nodes as a list. */

import type { Message } from '@lumino/messaging';
import { StackedPanel, Widget } from '@lumino/widgets';

import { requestOpen, requestTimeline } from '../../contract/open';
import type { ITexts } from '../../graph/style';
import type { DispatchChange, DispatchModel } from '../../model';
import type { IGraphView } from '../dagview/canvas';
import { GraphFrame } from '../dagview/frame';
import { NodeTable } from './table';

/** Canvas and list, one of them visible. */
export class GraphArea extends StackedPanel {
  constructor(options: { model: DispatchModel; texts: ITexts; view: Partial<IGraphView> }) {
    super();
    this.addClass('cvl-GraphArea');
    const { model, texts } = options;
    this._graph = new GraphWidget({
      ...options,
      showList: () => this._show(this._table)
    });
    this._table = new NodeTable({ model, texts, showGraph: () => this._show(this._graph) });
    this._table.hide();
    this.addWidget(this._graph);
    this.addWidget(this._table);
  }

  /** Reads colours again. */
  refreshTheme(): void {
    this._graph.refreshTheme();
  }

  protected onActivateRequest(msg: Message): void {
    if (this._graph.isVisible) {
      this._graph.activate();
    } else {
      this._table.activate();
    }
  }

  private _show(shown: Widget): void {
    for (const widget of [this._graph, this._table]) {
      widget.setHidden(widget !== shown);
    }
    shown.activate();
  }

  private readonly _graph: GraphWidget;
  private readonly _table: NodeTable;
}

class GraphWidget extends Widget {
  constructor(options: {
    model: DispatchModel;
    texts: ITexts;
    view: Partial<IGraphView>;
    showList: () => void;
  }) {
    super();
    const { model, texts } = options;
    this.addClass('cvl-GraphWidget');
    this._model = model;
    this._frame = new GraphFrame({
      host: this.node,
      texts,
      view: options.view,
      isLive: true,
      fileName: () => model.dispatchId,
      extra: [
        {
          icon: 'timeline',
          label: texts.__('Show timeline'),
          onClick: () => requestTimeline(this.node, model.dispatchId)
        },
        { icon: 'list', label: texts.__('Show nodes as a list'), onClick: options.showList }
      ],
      onSelect: id => {
        model.selection = id;
      },
      onOpen: dispatchId => requestOpen(this.node, { dispatchId })
    });
    model.changed.connect(this._onChanged, this);
    model.selectionChanged.connect(this._onSelection, this);
    this._onChanged(model, 'loaded');
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

  private _onChanged(model: DispatchModel, change: DispatchChange): void {
    if (model.structure === null || model.nodes === null || change === 'feed') {
      return;
    }
    const { canvas } = this._frame;
    if (!canvas.hasStructure) {
      this._frame.setStructure(model.structure);
      canvas.select(model.selection);
    }
    this._frame.setStates(model.nodes);
  }

  private _onSelection(_: DispatchModel, id: number | null): void {
    this._frame.canvas.select(id);
  }

  private readonly _model: DispatchModel;
  private readonly _frame: GraphFrame;
}
