/**
 * A graph on a canvas: holds selection and the schedule of frames; its stage has layout and camera, and painting is
 * done elsewhere.
 *
 * Plain DOM, so that the main view, notebook outputs and the widget share it. A frame is painted only when something
 * changed; while nodes run, 30 times a second, or once a second where motion is unwanted.
 */

import type { Orientation } from '../../graph/layout';
import type { INodeStates } from '../../graph/states';
import { nextFailed, statesFromColumns } from '../../graph/states';
import type { IGraphStructure } from '../../graph/structure';
import type { ITexts } from '../../graph/style';
import { MARGIN } from '../../graph/visible';
import { GraphInput } from './input';
import { paintMinimap } from './minimap';
import { paintScene } from './paint';
import type { IPalette } from './palette';
import { readPalette } from './palette';
import type { IScene } from './scene';
import { describeGraph, describeNode } from './speech';
import { Stage } from './stage';
import { TextFitter } from './text';

/** What can be switched. */
export interface IGraphView {
  orientation: Orientation;
  showParameters: boolean;
  showPostprocess: boolean;
  showEdgeLabels: boolean;
  showMinimap: boolean;
}

/** What the canvas is made with. */
export interface IGraphCanvasOptions {
  host: HTMLElement;
  texts: ITexts;
  view?: Partial<IGraphView>;
  /** In notebook outputs the wheel scrolls the page unless Ctrl is held. */
  wheelNeedsModifier?: boolean;
  /** Pixels kept free at the top when the graph is fitted, for the buttons there. */
  topInset?: number;
  onSelect?: (id: number | null) => void;
  onOpen?: (id: number) => void;
  onViewChanged?: (view: IGraphView) => void;
}

export const DEFAULT_VIEW: IGraphView = {
  orientation: 'down',
  showParameters: true,
  showPostprocess: false,
  showEdgeLabels: false,
  showMinimap: true
};

const FRAME_MS = 33;
const CALM_FRAME_MS = 1000;
const ZOOM_STEP = 1.25;

/** Shows one graph and its statuses. */
export class GraphCanvas {
  constructor(options: IGraphCanvasOptions) {
    this._options = options;
    this._view = { ...DEFAULT_VIEW, ...options.view };
    this._stage = new Stage(options.topInset ?? MARGIN);
    this.node = document.createElement('div');
    this.node.className = 'cvl-Graph';
    this._canvas = document.createElement('canvas');
    this._canvas.className = 'cvl-Graph-canvas';
    this._canvas.tabIndex = 0;
    this._canvas.setAttribute('role', 'img');
    this._live = document.createElement('div');
    this._live.className = 'cvl-visuallyHidden';
    this._live.setAttribute('aria-live', 'polite');
    this.node.append(this._canvas, this._live);
    options.host.append(this.node);
    this._input = new GraphInput(this._canvas, {
      wheelNeedsModifier: options.wheelNeedsModifier ?? false,
      pan: (dx, dy) => this._move(() => this._stage.pan(dx, dy)),
      zoom: (factor, at) => this._move(() => this._stage.zoom(factor, at)),
      zoomStep: direction => this.zoomBy(ZOOM_STEP ** direction),
      fit: () => this.fit(),
      hover: at => this._hover(at),
      click: at => this._select(this._stage.idAt(at)),
      open: at => this._open(at === null ? this._selected : this._stage.idAt(at)),
      step: direction => this._step(direction),
      nextFailed: () => this._nextFailed(),
      clear: () => this._select(-1)
    });
    this._observer = new ResizeObserver(() => this._resize());
    this._observer.observe(this.node);
    this._motion = window.matchMedia('(prefers-reduced-motion: reduce)');
  }

  readonly node: HTMLDivElement;

  get view(): IGraphView {
    return this._view;
  }

  get hasStructure(): boolean {
    return this._structure !== null;
  }

  /** Shows a graph; a graph with many parameters starts without them. */
  setStructure(structure: IGraphStructure, isLive: boolean): void {
    this._structure = structure;
    this._isLive = isLive;
    this._states = statesFromColumns(structure, null);
    this._selected = -1;
    this._hovered = -1;
    this._stage.setStructure(structure, this._view);
    this._describe();
    this._schedule();
  }

  /** Shows statuses; the arrays are read, never changed. */
  setStates(states: INodeStates): void {
    this._states = states;
    this._describe();
    this._schedule();
  }

  /** Whether statuses mean anything (a dispatch), or the graph is only a preview. */
  set isLive(isLive: boolean) {
    this._isLive = isLive;
    this._schedule();
  }

  /** Switches parts on and off. */
  setView(change: Partial<IGraphView>): void {
    const before = this._view;
    this._view = { ...before, ...change };
    const needsLayout =
      before.orientation !== this._view.orientation ||
      before.showParameters !== this._view.showParameters ||
      before.showPostprocess !== this._view.showPostprocess;
    if (needsLayout) {
      this._stage.place(this._view);
      const { layout } = this._stage;
      if (this._selected >= 0 && layout?.nodeWidth[this._selected] === 0) {
        this._selected = -1;
      }
    }
    this._schedule();
    this._options.onViewChanged?.(this._view);
  }

  /** Selects a node (null: none) and brings it into view. */
  select(id: number | null): void {
    const next = id ?? -1;
    if (next === this._selected) {
      return;
    }
    this._selected = next;
    this._stage.bringIntoView(next);
    this._announce();
    this._schedule();
  }

  /** Shows the whole graph. */
  fit(): void {
    this._move(() => this._stage.fit(this._view));
  }

  /** Enlarges around the middle. */
  zoomBy(factor: number): void {
    this._move(() => this._stage.zoom(factor));
  }

  /** Reads the colours again, after a change of theme. */
  refreshTheme(): void {
    this._palette = readPalette(this.node);
    this._schedule();
  }

  /** The picture as a PNG file. */
  toBlob(): Promise<Blob | null> {
    this._paint();
    return new Promise(resolve => this._canvas.toBlob(resolve, 'image/png'));
  }

  /** Moves the keyboard focus to the canvas. */
  focus(): void {
    this._canvas.focus({ preventScroll: true });
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    cancelAnimationFrame(this._frame);
    clearTimeout(this._timer);
    this._observer.disconnect();
    this._input.dispose();
    this.node.remove();
  }

  private _resize(): void {
    const { clientWidth, clientHeight } = this.node;
    const ratio = window.devicePixelRatio || 1;
    const { size } = this._stage;
    const isSame =
      clientWidth === size.width && clientHeight === size.height && ratio === this._ratio;
    if (isSame || clientWidth === 0 || clientHeight === 0) {
      return;
    }
    this._ratio = ratio;
    this._palette = readPalette(this.node);
    this._canvas.width = Math.round(clientWidth * ratio);
    this._canvas.height = Math.round(clientHeight * ratio);
    this._stage.resize({ width: clientWidth, height: clientHeight }, this._view, this._selected);
    this._paint();
  }

  private _move(change: () => void): void {
    change();
    this._schedule();
  }

  private _nextFailed(): void {
    const id = this._states === null ? null : nextFailed(this._states, this._selected);
    if (id !== null) {
      this.select(id);
      this._options.onSelect?.(id);
    }
  }

  private _hover(at: { x: number; y: number } | null): void {
    const id = at === null ? -1 : this._stage.idAt(at);
    if (id !== this._hovered) {
      this._hovered = id;
      this._canvas.style.cursor = id >= 0 ? 'pointer' : '';
      this._canvas.title = id >= 0 ? (this._structure?.names[id] ?? '').slice(0, 500) : '';
      this._schedule();
    }
  }

  private _select(id: number): void {
    if (id !== this._selected) {
      this._selected = id;
      this._announce();
      this._schedule();
      this._options.onSelect?.(id >= 0 ? id : null);
    }
  }

  private _open(id: number): void {
    if (id >= 0) {
      this._select(id);
      this._options.onOpen?.(id);
    }
  }

  /** Goes to the next or previous node; false at the end, where Tab leaves the graph. */
  private _step(direction: 1 | -1): boolean {
    const nodes = this._stage.layout?.nodes;
    if (nodes === undefined || nodes.length === 0) {
      return false;
    }
    const at = this._selected < 0 ? -1 : nodes.indexOf(this._selected);
    const next = at < 0 ? (direction === 1 ? 0 : nodes.length - 1) : at + direction;
    if (next < 0 || next >= nodes.length || (at < 0 && direction === -1)) {
      return false;
    }
    this.select(nodes[next]);
    this._options.onSelect?.(nodes[next]);
    return true;
  }

  private _announce(): void {
    const { _structure: structure, _states: states, _selected: id } = this;
    const hasNode = structure !== null && states !== null && id >= 0;
    this._live.textContent = hasNode
      ? describeNode(structure, this._isLive ? states : null, id, this._options.texts)
      : '';
  }

  private _describe(): void {
    if (this._structure !== null) {
      const text = describeGraph(this._structure, this._options.texts);
      this._canvas.setAttribute('aria-label', text);
    }
  }

  private _schedule(): void {
    if (this._frame === 0 && !this._isDisposed) {
      clearTimeout(this._timer);
      this._frame = requestAnimationFrame(() => {
        this._frame = 0;
        this._paint();
      });
    }
  }

  private _paint(): void {
    const context = this._canvas.getContext('2d');
    const { layout, camera, size } = this._stage;
    if (
      context === null ||
      this._structure === null ||
      layout === null ||
      this._states === null ||
      this._palette === null
    ) {
      return;
    }
    const scene: IScene = {
      structure: this._structure,
      layout,
      states: this._states,
      camera,
      size,
      palette: this._palette,
      texts: this._options.texts,
      fitter: this._fitter,
      selected: this._selected,
      hovered: this._hovered,
      showEdgeLabels: this._view.showEdgeLabels,
      isLive: this._isLive,
      hasMotion: !this._motion.matches,
      now: Date.now() / 1000
    };
    context.setTransform(this._ratio, 0, 0, this._ratio, 0, 0);
    const { hasRunning } = paintScene(context, scene);
    if (this._view.showMinimap) {
      paintMinimap(context, scene);
    }
    clearTimeout(this._timer);
    if (hasRunning) {
      const wait = this._motion.matches ? CALM_FRAME_MS : FRAME_MS;
      this._timer = setTimeout(() => this._schedule(), wait);
    }
  }

  private readonly _options: IGraphCanvasOptions;
  private readonly _canvas: HTMLCanvasElement;
  private readonly _live: HTMLDivElement;
  private readonly _input: GraphInput;
  private readonly _observer: ResizeObserver;
  private readonly _motion: MediaQueryList;
  private readonly _fitter = new TextFitter();
  private readonly _stage: Stage;
  private _view: IGraphView;
  private _structure: IGraphStructure | null = null;
  private _states: INodeStates | null = null;
  private _palette: IPalette | null = null;
  private _ratio = 1;
  private _selected = -1;
  private _hovered = -1;
  private _isLive = true;
  private _frame = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
