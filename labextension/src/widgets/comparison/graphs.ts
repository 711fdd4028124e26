/** Both graphs of a comparison beside each other, with the same view of both. Plain DOM, shows a model it does not own. */

import { requestOpen } from '../../contract/open';
import type { NodeMark, Side } from '../../graph/marks';
import { MARK_SIGNS, markWord } from '../../graph/marks';
import type { ITexts } from '../../graph/style';
import { shortId } from '../../graph/style';
import type { ComparisonModel, IComparedGraph } from '../../model';
import type { IGraphView } from '../dagview/canvas';
import { GraphFrame } from '../dagview/frame';

const SIDES: readonly Side[] = ['left', 'right'];
const MARKS: readonly NodeMark[] = ['differs', 'removed', 'added'];

/** Two graphs and what their marks mean. */
export class GraphPair {
  constructor(options: { model: ComparisonModel; texts: ITexts }) {
    this._model = options.model;
    this._texts = options.texts;
    this.node = document.createElement('div');
    this.node.append(this._legend());
    const graphs = document.createElement('div');
    graphs.className = 'cvl-Comparison-graphs';
    this.node.append(graphs);
    this._frames = { left: this._frame('left', graphs), right: this._frame('right', graphs) };
    this._model.changed.connect(this._onChanged, this);
    this._model.selectionChanged.connect(this._onSelection, this);
    this._onChanged();
  }

  readonly node: HTMLElement;

  /** Reads colours again. */
  refreshTheme(): void {
    SIDES.forEach(side => this._frames[side].canvas.refreshTheme());
  }

  dispose(): void {
    this._model.changed.disconnect(this._onChanged, this);
    this._model.selectionChanged.disconnect(this._onSelection, this);
    SIDES.forEach(side => this._frames[side].dispose());
  }

  private _frame(side: Side, parent: HTMLElement): GraphFrame {
    const { _model: model, _texts: texts } = this;
    const id = shortId(model[side]);
    const host = document.createElement('section');
    host.className = 'cvl-Comparison-graph';
    host.setAttribute(
      'aria-label',
      side === 'left' ? texts.__('Left graph: %1', id) : texts.__('Right graph: %1', id)
    );
    parent.append(host);
    return new GraphFrame({
      host,
      texts,
      view: { showMinimap: false },
      isLive: true,
      fileName: () => model[side],
      onSelect: nodeId => model.select(side, nodeId),
      onViewChanged: view => this._follow(side, view),
      onOpen: dispatchId => requestOpen(this.node, { dispatchId })
    });
  }

  /** Gives the other graph the same view. */
  private _follow(side: Side, view: IGraphView): void {
    if (!this._isFollowing && this._shown !== null) {
      this._isFollowing = true;
      this._frames[side === 'left' ? 'right' : 'left'].canvas.setView(view);
      this._isFollowing = false;
    }
  }

  private _onChanged(): void {
    const { graphs } = this._model;
    if (graphs === null || graphs === this._shown) {
      return;
    }
    const isFirst = this._shown === null;
    this._shown = graphs;
    for (const side of SIDES) {
      const { structure, states, marks } = graphs[side];
      if (isFirst) {
        this._frames[side].setStructure(structure);
      }
      this._frames[side].setStates(states);
      this._frames[side].setMarks(marks);
    }
    this._onSelection();
  }

  private _onSelection(): void {
    SIDES.forEach(side => this._frames[side].canvas.select(this._model.selection[side]));
  }

  private _legend(): HTMLElement {
    const legend = document.createElement('p');
    legend.className = 'cvl-Comparison-legend';
    for (const mark of MARKS) {
      const sign = document.createElement('i');
      sign.className = 'cvl-Comparison-sign';
      sign.textContent = MARK_SIGNS[mark];
      const entry = document.createElement('span');
      entry.append(sign, markWord(mark, this._texts));
      legend.append(entry);
    }
    return legend;
  }

  private readonly _model: ComparisonModel;
  private readonly _texts: ITexts;
  private readonly _frames: Readonly<Record<Side, GraphFrame>>;
  private _shown: Readonly<Record<Side, IComparedGraph>> | null = null;
  private _isFollowing = false;
}
