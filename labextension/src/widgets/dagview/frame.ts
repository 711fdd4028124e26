/** A graph with all that lies over it in the main area: buttons, search, and what is selected. Plain DOM. */

import { executorsOf } from '../../graph/find';
import type { NodeMark } from '../../graph/marks';
import type { INodeStates } from '../../graph/states';
import type { IGraphStructure } from '../../graph/structure';
import type { ITexts } from '../../graph/style';
import type { IGraphView } from './canvas';
import { GraphCanvas } from './canvas';
import type { IExtraButton } from './controls';
import { GraphControls } from './controls';
import { FindBar } from './findbar';
import { SelectionBar } from './selectionbar';
import { initialView } from './view';
import { createLayouter } from './worker';

/** What a frame is made with. */
export interface IGraphFrameOptions {
  host: HTMLElement;
  texts: ITexts;
  view: Partial<IGraphView>;
  /** A dispatch has statuses, a preview has none. */
  isLive: boolean;
  /** The name of saved pictures, without an ending. */
  fileName: () => string;
  extra?: readonly IExtraButton[];
  /** With the path of the graph that the node is in, see `INodePlace`. */
  onSelect: (id: number | null, path: string) => void;
  /** See the canvas. */
  canUnfold?: boolean;
  /** Switches that were kept from the last time that the graph was seen: they win over what suits it at first. */
  keptView?: () => Partial<IGraphView> | null;
  onViewChanged?: (view: IGraphView) => void;
  /** Opens the dispatch that a node became. */
  onOpen: (dispatchId: string) => void;
}

/** Pixels above and below the buttons at the top. */
const AROUND_CONTROLS = 24;

/** One graph in the main area. */
export class GraphFrame {
  constructor(options: IGraphFrameOptions) {
    const { host, texts, isLive } = options;
    this._isLive = isLive;
    this._keptView = options.keptView ?? (() => null);
    this.canvas = new GraphCanvas({
      host,
      texts,
      view: options.view,
      topInset: () => this._controls.node.offsetHeight + AROUND_CONTROLS,
      layouter: createLayouter(),
      onSelect: options.onSelect,
      canUnfold: options.canUnfold,
      onViewChanged: view => {
        this._controls.update();
        options.onViewChanged?.(view);
      },
      onOpen: () => {
        const part = this.canvas.selected?.part ?? null;
        if (part !== null) {
          options.onOpen(part);
        }
      },
      onFind: () => this._findBar.toggle(true),
      onChanged: () => {
        this._selectionBar.update();
        this._findBar.update();
        this._controls.update();
        this._busy.hidden = !this.canvas.isBusy;
      }
    });
    const graph = this.canvas;
    this._findBar = new FindBar({ graph, texts, hasStates: isLive });
    this._selectionBar = new SelectionBar({ graph, texts, onOpen: options.onOpen });
    this._controls = new GraphControls({ ...options, graph, findBar: this._findBar });
    this._busy = document.createElement('div');
    this._busy.className = 'cvl-Busy';
    this._busy.setAttribute('role', 'status');
    this._busy.textContent = texts.__('Arranging the graph…');
    this._busy.hidden = true;
    const top = document.createElement('div');
    top.className = 'cvl-Overlay';
    top.append(this._controls.node, this._findBar.node);
    host.append(top, this._selectionBar.node, this._busy);
  }

  readonly canvas: GraphCanvas;

  /** Shows a graph, large ones at first in the way that suits them. */
  setStructure(structure: IGraphStructure): void {
    this.canvas.setView({ ...initialView(structure), ...this._keptView() });
    this._findBar.setExecutors(executorsOf(structure));
    this.canvas.setStructure(structure, this._isLive);
  }

  setStates(states: INodeStates): void {
    this.canvas.setStates(states);
  }

  setMarks(marks: ReadonlyMap<number, NodeMark>): void {
    this.canvas.setMarks(marks);
  }

  dispose(): void {
    this.canvas.dispose();
  }

  private readonly _isLive: boolean;
  private readonly _keptView: () => Partial<IGraphView> | null;
  private readonly _controls: GraphControls;
  private readonly _findBar: FindBar;
  private readonly _selectionBar: SelectionBar;
  private readonly _busy: HTMLElement;
}
