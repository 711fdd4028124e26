/** A graph with head and controls for places without a main area: notebook outputs and the widget. Plain DOM. */

import type { GraphWire, ILatticeBundle } from '../../contract';
import { isTerminal } from '../../contract';
import { announcePreview, requestOpen } from '../../contract/open';
import type { Orientation } from '../../graph/layout';
import { layoutGraph } from '../../graph/layout';
import type { INodeStates } from '../../graph/states';
import type { IGraphStructure } from '../../graph/structure';
import { structureFromWire } from '../../graph/structure';
import type { ITexts } from '../../graph/style';
import { formatDuration, statusTone, statusWord } from '../../graph/style';
import { fitCamera, heightFor, roomOf } from '../../graph/visible';
import { GraphCanvas } from './canvas';
import { GraphControls } from './controls';
import { SelectionBar } from './selectionbar';
import { initialView } from './view';

/** What the head says. */
export interface IEmbedHead {
  name: string;
  /** Null for a graph that was never dispatched. */
  status: string | null;
  completed: number;
  total: number;
  /** Seconds; null if unknown. */
  runtime: number | null;
}

const SMALL_GRAPH = 500;
/** Of an output that is not in the page yet. */
const ASSUMED_WIDTH = 860;

/** Head, graph, controls. */
export class EmbeddedGraph {
  constructor(options: {
    host: HTMLElement;
    texts: ITexts;
    /** Of the graph, in pixels. */
    height: number;
    /** A small graph takes less. */
    isFitted?: boolean;
    dispatchId: string | null;
  }) {
    const { texts } = options;
    this._texts = texts;
    this._dispatchId = options.dispatchId;
    this.node = element('div', 'cvl-Embed');
    this._name = element('strong', 'cvl-Embed-name');
    this._badge = element('span', 'cvl-Badge');
    this._count = element('span', 'cvl-Embed-count');
    this._bar = element('span', 'cvl-Progress-completed');
    const progress = element('span', 'cvl-Progress');
    progress.append(this._bar);
    this._progress = progress;
    const head = element('div', 'cvl-Embed-head');
    this._openButton = document.createElement('button');
    this._openButton.type = 'button';
    this._openButton.className = 'cvl-Button cvl-Embed-open';
    this._openButton.textContent = texts.__('Open in Covalent panel');
    this._openButton.hidden = true;
    this._openButton.addEventListener('click', () => this._open());
    head.append(this._name, this._badge, this._count, progress, this._openButton);
    const body = element('div', 'cvl-Embed-body');
    body.style.height = `${options.height}px`;
    this._body = body;
    this._isFitted = options.isFitted ?? false;
    this.node.append(head, body);
    options.host.append(this.node);
    this.graph = new GraphCanvas({
      host: body,
      texts,
      wheelNeedsModifier: true,
      onViewChanged: () => this._controls.update(),
      onChanged: () => this._selectionBar.update(),
      onOpen: id => this._open(id)
    });
    this._controls = new GraphControls({
      graph: this.graph,
      texts,
      fileName: () => this._name.textContent ?? 'workflow',
      isCompact: true
    });
    this._controls.node.classList.add('cvl-mod-floating');
    this._selectionBar = new SelectionBar({
      graph: this.graph,
      texts,
      onOpen: part => requestOpen(this.node, { dispatchId: part })
    });
    body.append(this._controls.node, this._selectionBar.node);
  }

  readonly node: HTMLElement;
  readonly graph: GraphCanvas;

  /** Shows a graph; returns its structure, to make states for. */
  setGraph(wire: GraphWire, isLive: boolean): IGraphStructure {
    const structure = structureFromWire(wire);
    this.graph.setView({
      ...initialView(structure),
      orientation: this._arrangeIn(structure)
    });
    this.graph.setStructure(structure, isLive);
    return structure;
  }

  /** Shows statuses. */
  setStates(states: INodeStates): void {
    this.graph.setStates(states);
  }

  /** Shows what is known of the whole. */
  setHead(head: IEmbedHead): void {
    this._name.textContent = head.name;
    this._badge.hidden = this._progress.hidden = head.status === null;
    const count = this._texts._n('%1 task', '%1 tasks', head.total);
    if (head.status === null) {
      this._count.textContent = count;
      return;
    }
    const tone = statusTone(head.status);
    this._badge.className = `cvl-Badge cvl-tone-${tone}`;
    this._badge.textContent = statusWord(head.status, this._texts);
    this._progress.className = `cvl-Progress cvl-tone-${tone}`;
    this._bar.style.width = `${head.total > 0 ? (100 * head.completed) / head.total : 0}%`;
    const time =
      head.runtime !== null && isTerminal(head.status) ? ` · ${formatDuration(head.runtime)}` : '';
    this._count.textContent = `${head.completed}/${head.total}${time}`;
  }

  /** Shows or hides the button that opens the view; only JupyterLab with the extension can follow it. */
  setOpenable(dispatchId: string | null): void {
    this._dispatchId = dispatchId;
    this._openButton.hidden = dispatchId === null;
  }

  /** Makes a graph without dispatch known to the page as drawn last, and lets it be opened in the main area. */
  setPreview(bundle: ILatticeBundle): void {
    this._preview = bundle;
    this._openButton.hidden = false;
    announcePreview({ bundle, isAsked: false });
  }

  /** Changes the height of the graph. */
  setHeight(height: number): void {
    this._body.style.height = `${height}px`;
  }

  dispose(): void {
    this.graph.dispose();
    this.node.remove();
  }

  /**
   * The direction in which the graph can be drawn larger or, where that is wanted, with less height; large graphs are
   * readable only after zooming anyway.
   */
  private _arrangeIn(structure: IGraphStructure): Orientation {
    if (structure.count > SMALL_GRAPH) {
      return 'down';
    }
    const size = {
      width: this._body.clientWidth || ASSUMED_WIDTH,
      height: this._body.clientHeight || parseInt(this._body.style.height)
    };
    const fitted = (orientation: Orientation) => {
      const options = { ...this.graph.view, orientation, room: roomOf(size) };
      const layout = layoutGraph(structure, options);
      const { scale } = fitCamera(layout, size);
      return { orientation, scale, height: heightFor(layout, scale) };
    };
    const [down, right] = [fitted('down'), fitted('right')];
    const isLower = this._isFitted && right.height < down.height && right.scale >= down.scale;
    const best = isLower || right.scale > 1.1 * down.scale ? right : down;
    if (this._isFitted && best.height < size.height) {
      this.setHeight(best.height);
    }
    return best.orientation;
  }

  private _open(nodeId?: number): void {
    if (this._preview !== null) {
      announcePreview({ bundle: this._preview, isAsked: true });
    } else if (this._dispatchId !== null) {
      requestOpen(this.node, { dispatchId: this._dispatchId, nodeId });
    }
  }

  private readonly _texts: ITexts;
  private readonly _name: HTMLElement;
  private readonly _badge: HTMLElement;
  private readonly _count: HTMLElement;
  private readonly _bar: HTMLElement;
  private readonly _progress: HTMLElement;
  private readonly _body: HTMLElement;
  private readonly _isFitted: boolean;
  private readonly _openButton: HTMLButtonElement;
  private readonly _controls: GraphControls;
  private readonly _selectionBar: SelectionBar;
  private _dispatchId: string | null;
  private _preview: ILatticeBundle | null = null;
}

function element(tag: string, className: string): HTMLElement {
  const node = document.createElement(tag);
  node.className = className;
  return node;
}
