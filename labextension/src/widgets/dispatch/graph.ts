/** The graph of a dispatch in its view, or the same nodes as a list. */

import type { Message } from '@lumino/messaging';
import { StackedPanel, Widget } from '@lumino/widgets';

import { requestOpen, requestTimeline } from '../../contract/open';
import type { ITexts } from '../../graph/style';
import type { DispatchChange, DispatchModel } from '../../model';
import { UnfoldedParts } from '../../model';
import type { IGraphView } from '../dagview/canvas';
import type { IPart } from '../dagview/drawing';
import { GraphFrame } from '../dagview/frame';
import { NodeTable } from './table';

/** What the area is made with. */
export interface IGraphAreaOptions {
  model: DispatchModel;
  texts: ITexts;
  view: Partial<IGraphView>;
  /** Makes models of the dispatches inside of unfolded sublattices. */
  createDispatch: (dispatchId: string) => DispatchModel;
  /** How the graph was seen the last time; null if it was not. */
  keptView: () => Partial<IGraphView> | null;
  keepView: (view: IGraphView) => void;
}

/** Canvas and list, one of them visible. */
export class GraphArea extends StackedPanel {
  constructor(options: IGraphAreaOptions) {
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

  /** Whether the selected node is a sublattice whose nodes are drawn in its place; null if they cannot be. */
  get isUnfolded(): boolean | null {
    return this._graph.isVisible ? this._graph.isUnfolded : null;
  }

  /** Draws its nodes in its place, or no longer. */
  toggleFold(): void {
    this._graph.toggleFold();
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
  constructor(options: IGraphAreaOptions & { showList: () => void }) {
    super();
    const { model, texts } = options;
    this.addClass('cvl-GraphWidget');
    this._model = model;
    this._parts = new UnfoldedParts({ root: model, create: options.createDispatch });
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
      canUnfold: true,
      keptView: options.keptView,
      onViewChanged: view => {
        if (this._isShown) {
          this._parts.unfold(view.unfolded);
          options.keepView(view);
        }
      },
      onSelect: (id, path) => {
        const inside = path === '' ? null : this._parts.get(path);
        if (inside === null || id === null) {
          model.selection = id;
        } else {
          model.selectInside({ model: inside, nodeId: id, path });
        }
      },
      onOpen: dispatchId => requestOpen(this.node, { dispatchId })
    });
    model.changed.connect(this._onChanged, this);
    model.selectionChanged.connect(this._onSelection, this);
    this._parts.changed.connect(this._onParts, this);
    this._onChanged(model, 'loaded');
  }

  get isUnfolded(): boolean | null {
    return this._frame.canvas.selected?.isUnfolded ?? null;
  }

  toggleFold(): void {
    this._frame.canvas.toggleFold();
  }

  refreshTheme(): void {
    this._frame.canvas.refreshTheme();
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._model.changed.disconnect(this._onChanged, this);
      this._model.selectionChanged.disconnect(this._onSelection, this);
      this._parts.dispose();
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
      this._isShown = true;
      canvas.select(model.selection);
      this._parts.unfold(canvas.view.unfolded);
    }
    this._frame.setStates(model.nodes);
  }

  private _onParts(parts: UnfoldedParts): void {
    const shown = new Map<string, IPart>();
    parts.loaded.forEach(({ structure, nodes }, path) => {
      if (structure !== null && nodes !== null) {
        shown.set(path, { structure, states: nodes });
      }
    });
    this._frame.canvas.setParts(shown);
    const { inside } = this._model;
    if (inside !== null && !shown.has(inside.path)) {
      const { selection } = this._model;
      this._model.selection = selection; // what was selected in it is folded away
    }
  }

  private _onSelection(model: DispatchModel, id: number | null): void {
    const { inside } = model;
    this._frame.canvas.select(inside?.nodeId ?? id, inside?.path ?? '');
  }

  private readonly _model: DispatchModel;
  private readonly _frame: GraphFrame;
  private readonly _parts: UnfoldedParts;
  /** The graph is there, with its first switches: from now on people change them. */
  private _isShown = false;
}
