/** The view of one dispatch in the main area: head, graph, panel; or why there is none. Owns the model it shows. */

import type { Message } from '@lumino/messaging';
import { MessageLoop } from '@lumino/messaging';
import { BoxLayout, SplitPanel, Widget } from '@lumino/widgets';

import type { DispatchModel } from '../../model';
import { SidePanel, type IViewActions } from '../node';
import { AbsentPage } from './absent';
import type { IGraphAreaOptions } from './graph';
import { GraphArea } from './graph';
import { DispatchHeader } from './header';

/** What the view is made with. */
export interface IDispatchViewOptions extends IGraphAreaOptions {
  actions: IViewActions;
}

const SIDE_WIDTH = 320;
const SIDE_SHARE = 0.34;

/** Head over graph and panel. */
export class DispatchView extends Widget {
  constructor(options: IDispatchViewOptions) {
    super();
    const { model, texts } = options;
    this.model = model;
    this.addClass('cvl-DispatchView');
    const header = new DispatchHeader(options);
    const split = new SplitPanel({ orientation: 'horizontal', spacing: 1 });
    split.addClass('cvl-DispatchView-split');
    this._graph = new GraphArea(options);
    const side = new SidePanel({ model, texts, actions: options.actions });
    split.addWidget(this._graph);
    split.addWidget(side);
    split.handleMoved.connect(() => (this._isArranged = true));
    this._split = split;
    this._header = header;
    this._absent = new AbsentPage({ model, texts, showList: options.actions.showList });
    const layout = new BoxLayout({ direction: 'top-to-bottom', spacing: 0 });
    layout.addWidget(header);
    layout.addWidget(split);
    layout.addWidget(this._absent);
    BoxLayout.setStretch(header, 0);
    BoxLayout.setStretch(split, 1);
    BoxLayout.setStretch(this._absent, 1);
    this.layout = layout;
    model.changed.connect(this._choose, this);
    this._choose();
    this._observer = new ResizeObserver(() => {
      const child = header.node.firstElementChild;
      if (child !== null) {
        header.node.style.minHeight = `${child.getBoundingClientRect().height}px`;
        MessageLoop.postMessage(this, Widget.Msg.FitRequest);
      }
    });
    this._mutations = new MutationObserver(() => {
      const child = header.node.firstElementChild;
      if (child !== null) {
        this._observer.observe(child);
      }
    });
    this._mutations.observe(header.node, { childList: true });
  }

  readonly model: DispatchModel;

  /** Whether the selected node is a sublattice whose nodes are drawn in its place; null if they cannot be. */
  get isUnfolded(): boolean | null {
    return this._graph.isUnfolded;
  }

  /** Draws its nodes in its place, or no longer. */
  toggleFold(): void {
    this._graph.toggleFold();
  }

  /** Reads colours again. */
  refreshTheme(): void {
    this._graph.refreshTheme();
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._observer.disconnect();
      this._mutations.disconnect();
      this.model.changed.disconnect(this._choose, this);
      super.dispose();
      this.model.dispose();
    }
  }

  protected onActivateRequest(msg: Message): void {
    (this._absent.isHidden ? this._graph : this._absent).activate();
  }

  /** Until somebody moves the handle, the panel has its share of whatever the width is. */
  protected onResize(msg: Widget.ResizeMessage): void {
    super.onResize(msg);
    const width = msg.width < 0 ? this.node.offsetWidth : msg.width;
    if (!this._isArranged && width > 0) {
      const side = Math.max(SIDE_WIDTH, SIDE_SHARE * width) / width;
      this._split.setRelativeSizes([1 - Math.min(0.6, side), Math.min(0.6, side)]);
    }
  }

  /** Head and graph make way where there is nothing that they could show. */
  private _choose(): void {
    const isAbsent = this.model.detail === null && this.model.error !== '';
    const hadFocus = this._absent.node.contains(document.activeElement);
    this._absent.setHidden(!isAbsent);
    this._header.setHidden(isAbsent);
    this._split.setHidden(isAbsent);
    if (hadFocus && !isAbsent) {
      this._graph.activate();
    }
  }

  private readonly _graph: GraphArea;
  private readonly _header: DispatchHeader;
  private readonly _absent: AbsentPage;
  private readonly _split: SplitPanel;
  private readonly _observer: ResizeObserver;
  private readonly _mutations: MutationObserver;
  private _isArranged = false;
}
