/**
 * A graph on a canvas: holds the selection and what is switched on; its drawing has the graph, its stage layout and
 * camera, its screen the canvas. Plain DOM, so that the main view, notebook outputs and the widget share it.
 * Ids that come in and go out are those of nodes; `_selected` and `_hovered` are drawn ids, which may be stacks.
 */

import type { INodeQuery } from '../../graph/find';
import { nextFound } from '../../graph/find';
import type { NodeMark } from '../../graph/marks';
import type { Shift } from '../../graph/positions';
import type { INodeStates } from '../../graph/states';
import { nextFailed } from '../../graph/states';
import type { IGraphStructure } from '../../graph/structure';
import { MARGIN } from '../../graph/visible';
import type { INodePlace, IPart } from './drawing';
import { Drawing, pathInto } from './drawing';
import { isOnSign } from './foldsign';
import { GraphInput } from './input';
import { paintMinimap } from './minimap';
import type { IGraphCanvasOptions, ISelected } from './options';
import { paintScene } from './paint';
import type { IPalette } from './palette';
import type { IScene } from './scene';
import type { IFrame } from './screen';
import { Screen } from './screen';
import { describeDrawn, describeGraph, titleOf } from './speech';
import { Stage } from './stage';
import { svgOf } from './svg';
import { TextFitter } from './text';
import type { IGraphView } from './view';
import {
  changesDrawing,
  changesLayout,
  DEFAULT_VIEW,
  layoutKey,
  withMove,
  withoutMoves
} from './view';

export type { IGraphCanvasOptions, ISelected } from './options';
export { DEFAULT_VIEW } from './view';
export type { IGraphView } from './view';

const ZOOM_STEP = 1.25;
/** Seconds after which a picture that was moved is painted in full. */
const STILL_AFTER = 0.15;

const NONE: ReadonlyMap<number, string> = new Map();

/** Shows one graph and its statuses. */
export class GraphCanvas {
  constructor(options: IGraphCanvasOptions) {
    this._options = options;
    this._view = { ...DEFAULT_VIEW, ...options.view };
    this._stage = new Stage({
      top: options.topInset ?? (() => MARGIN),
      layouter: options.layouter ?? null,
      shifts: layout => this._shifts(layoutKey(layout)),
      placed: () => this._placed()
    });
    this.node = document.createElement('div');
    this.node.className = 'cvl-Graph';
    options.host.append(this.node);
    this._screen = new Screen({
      host: this.node,
      paint: frame => this._paint(frame),
      resized: size => this._stage.resize(size, this._view)
    });
    this._canvas = this._screen.node;
    this._canvas.setAttribute('role', 'img');
    this._canvas.setAttribute('aria-label', options.texts.__('Workflow graph'));
    this._live = document.createElement('div');
    this._live.className = 'cvl-visuallyHidden';
    this._live.setAttribute('aria-live', 'polite');
    this.node.append(this._live);
    this._input = new GraphInput(this._canvas, {
      wheelNeedsModifier: options.wheelNeedsModifier ?? false,
      pan: (dx, dy) => this._move(() => this._stage.pan(dx, dy)),
      zoom: (factor, at) => this._move(() => this._stage.zoom(factor, at)),
      zoomStep: direction => this.zoomBy(ZOOM_STEP ** direction),
      fit: () => this.fit(),
      grab: at => this._grab(this._view.isLocked ? -1 : this._stage.idAt(at)),
      drag: (dx, dy) => this._drag(dx, dy),
      drop: () => this._drop(),
      nudge: (dx, dy) => this._nudge(dx, dy),
      hover: at => this._hover(at),
      click: at => this._click(at),
      point: at => this._select(this._stage.idAt(at)),
      open: at => this._open(at === null ? this._selected : this._stage.idAt(at)),
      step: direction => this._step(direction),
      fold: () => this.toggleFold(),
      nextFailed: () => this._nextFailed(),
      find: () => options.onFind?.(),
      clear: () => this._select(-1)
    });
  }

  readonly node: HTMLDivElement;

  get view(): IGraphView {
    return this._view;
  }

  get hasStructure(): boolean {
    return this._drawing !== null;
  }

  /** Whether a layout is being made. */
  get isBusy(): boolean {
    return this._stage.isBusy;
  }

  /** How many nodes a search found, if there is one. */
  get foundCount(): number | null {
    return this._drawing?.found?.length ?? null;
  }

  get selected(): ISelected | null {
    const { _drawing: drawing, _selected: id } = this;
    if (drawing === null || id < 0) {
      return null;
    }
    const place = drawing.placeOf(drawing.membersOf(id)[0]);
    const part = drawing.states.parts.get(id) ?? null;
    const canUnfold = this._options.canUnfold === true && part !== null;
    return {
      label: drawing.structure.labels[id],
      nodes: drawing.membersOf(id),
      counts: this._isLive ? (drawing.counts?.get(id) ?? null) : null,
      part,
      path: place.path,
      isUnfolded: canUnfold ? this._view.unfolded.includes(pathInto(place)) : null
    };
  }

  /** Shows a graph, with all nodes as they are before anything ran. */
  setStructure(structure: IGraphStructure, isLive: boolean): void {
    this._drawing = new Drawing(structure, this._view);
    this._isLive = isLive;
    this._canvas.setAttribute('aria-label', describeGraph(structure, this._options.texts));
    this._redraw(null);
  }

  /** Shows statuses; the arrays are read, never changed. */
  setStates(states: INodeStates): void {
    this._drawing?.setStates(states);
    this._changed();
  }

  /** Takes what is in unfolded sublattices, by path, as far as it is known. */
  setParts(parts: ReadonlyMap<string, IPart>): void {
    const { _drawing: drawing } = this;
    if (drawing === null) {
      return;
    }
    const before =
      this._selected < 0 ? null : drawing.placeOf(drawing.membersOf(this._selected)[0]);
    if (drawing.setParts(parts)) {
      this._redraw(before === null ? null : drawing.numberOf(before));
      this._announce();
    } else {
      this._changed();
    }
  }

  /** Draws the nodes of the selected sublattice in its place, or the sublattice as one node again. */
  toggleFold(): void {
    const { selected, _drawing: drawing } = this;
    if (drawing !== null && selected !== null && selected.isUnfolded !== null) {
      const path = pathInto(drawing.placeOf(selected.nodes[0]));
      const { unfolded } = this._view;
      this.setView({
        unfolded: selected.isUnfolded
          ? unfolded.filter(other => other !== path && !other.startsWith(`${path}/`))
          : [...unfolded, path]
      });
      this._announce();
    }
  }

  /** Puts nodes that were moved back to where the layout has them. */
  putBack(): void {
    this.setView(withoutMoves(this._view));
    this._stage.place(this._view);
    this._changed();
  }

  /** Marks nodes that differ from those of another graph. */
  setMarks(marks: ReadonlyMap<number, NodeMark>): void {
    this._drawing?.setMarks(marks);
    this._changed();
  }

  /** Whether statuses mean anything (a dispatch), or the graph is only a preview. */
  set isLive(isLive: boolean) {
    this._isLive = isLive;
    this._screen.schedule();
  }

  /** Switches parts on and off. */
  setView(change: Partial<IGraphView>): void {
    const before = this._view;
    this._view = { ...before, ...change };
    if (changesDrawing(before, this._view) && this._drawing !== null) {
      const node = this._selectedNode();
      this._drawing.configure(this._view);
      this._redraw(node);
    } else if (changesLayout(before, this._view)) {
      this._stage.place(this._view);
    }
    this._changed();
    this._options.onViewChanged?.(this._view);
  }

  /** Selects a node (null: none) and brings it into view, out of its stack if it is in one. */
  select(id: number | null, path = ''): void {
    const number = id === null ? null : (this._drawing?.numberOf({ path, node: id }) ?? null);
    if (number === this._selectedNode()) {
      return;
    }
    if (number === null) {
      this._selected = -1;
    } else if (this._drawing !== null) {
      this._reveal(this._drawing, number);
    }
    this._announce();
    this._changed();
  }

  /** Shows the nodes of the selected stack. */
  openStack(): void {
    if (this._drawing !== null && this._selected >= 0) {
      const [first] = this._drawing.membersOf(this._selected);
      this._drawing.open(first);
      this._redraw(first);
      this._tellSelected();
    }
  }

  /** Marks the nodes that a query finds; the others step back. */
  find(query: INodeQuery): void {
    this._drawing?.setQuery(query);
    this._changed();
  }

  /** Selects the next of the found nodes. */
  findNext(direction: 1 | -1): void {
    this._goTo(nextFound(this._drawing?.found ?? [], this._selectedNode(), direction));
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
    this._screen.refreshTheme();
  }

  /** What is seen as a PNG file. */
  toBlob(): Promise<Blob | null> {
    this._screen.paint();
    return new Promise(resolve => this._canvas.toBlob(resolve, 'image/png'));
  }

  /** The whole graph as an SVG document; null before it is laid out. */
  toSvg(): string | null {
    const { palette } = this._screen;
    const scene = palette === null ? null : this._scene(palette, false, Date.now() / 1000);
    return scene === null ? null : svgOf(scene);
  }

  /** Moves the keyboard focus to the canvas. */
  focus(): void {
    this._canvas.focus({ preventScroll: true });
  }

  dispose(): void {
    this._stage.dispose();
    this._screen.dispose();
    this._input.dispose();
    this.node.remove();
  }

  /** Lays out what is drawn now, and selects a node in it. */
  private _redraw(node: number | null): void {
    if (this._drawing !== null) {
      this._hover(null);
      this._selected = node === null ? -1 : this._drawing.drawnOf(node);
      const drawing = this._drawing;
      const { graph, structure, frames } = drawing;
      const frameOf = (id: number) => drawing.frameOf(id);
      this._stage.setGraph({ graph, structure, frames, frameOf }, this._view);
      this._changed();
    }
  }

  private _placed(): void {
    if (this._selected >= 0 && this._stage.layout?.nodeWidth[this._selected] === 0) {
      this._selected = -1;
    }
    this._stage.bringIntoView(this._selected);
    this._changed();
  }

  private _changed(): void {
    this._screen.schedule();
    this._options.onChanged?.();
  }

  private _move(change: () => void): void {
    change();
    this._movedAt = Date.now() / 1000;
    this._screen.schedule();
  }

  private _selectedNode(): number | null {
    const { _drawing: drawing, _selected: id } = this;
    return drawing === null || id < 0 ? null : drawing.nodeOf(id);
  }

  private _goTo(node: number | null): void {
    if (node !== null && this._drawing !== null) {
      const { node: id, path } = this._drawing.placeOf(node);
      this.select(id, path);
      this._tellSelected();
    }
  }

  private _tellSelected(): void {
    const number = this._selectedNode();
    const place: INodePlace | null =
      number === null || this._drawing === null ? null : this._drawing.placeOf(number);
    this._options.onSelect?.(place?.node ?? null, place?.path ?? '');
  }

  /** How far what is drawn was moved in a layout, by drawn id. */
  private _shifts(layout: string): Map<number, Shift> {
    const moved = this._view.moved[layout] ?? {};
    const found = new Map<number, Shift>();
    const { _drawing: drawing } = this;
    for (
      let id = 0;
      drawing !== null && Object.keys(moved).length > 0 && id < drawing.structure.count;
      id += 1
    ) {
      const shift = moved[this._moveKey(drawing, id)];
      if (shift !== undefined) {
        found.set(id, shift);
      }
    }
    return found;
  }

  /** What stands for a drawn node in the view's moves: its path, or that of a stack's first node. */
  private _moveKey(drawing: Drawing, id: number): string {
    const members = drawing.membersOf(id);
    return `${members.length > 1 ? '=' : ''}${pathInto(drawing.placeOf(members[0]))}`;
  }

  private _nextFailed(): void {
    if (this._drawing !== null) {
      this._goTo(nextFailed(this._drawing.nodeStates, this._selectedNode()));
    }
  }

  private _reveal(drawing: Drawing, node: number): void {
    if (drawing.membersOf(drawing.drawnOf(node)).length > 1) {
      drawing.open(node);
      this._redraw(node);
    } else {
      this._selected = drawing.drawnOf(node);
      this._stage.bringIntoView(this._selected);
    }
  }

  private _grab(id: number): boolean {
    return (this._grabbed = id) >= 0;
  }

  private _nudge(dx: number, dy: number): boolean {
    if (this._view.isLocked || this._selected < 0) {
      return false;
    }
    this._grabbed = this._selected;
    this._drag(dx, dy);
    this._drop();
    return true;
  }

  private _drag(dx: number, dy: number): void {
    this._move(() => {
      const [x, y] = this._stage.moveNode(this._grabbed, dx, dy);
      this._dragged = [this._dragged[0] + x, this._dragged[1] + y];
    });
  }

  /** Keeps where a node was put. */
  private _drop(): void {
    const [dx, dy] = this._dragged;
    this._dragged = [0, 0];
    if (this._drawing !== null && (dx !== 0 || dy !== 0)) {
      this.setView(withMove(this._view, this._moveKey(this._drawing, this._grabbed), [dx, dy]));
    }
  }

  /** On the sign of a sublattice: folds or unfolds it. */
  private _click(at: { x: number; y: number }): void {
    const { layout, camera } = this._stage;
    const { _drawing: drawing } = this;
    if (layout !== null && drawing !== null && this._options.canUnfold === true) {
      const signed = [...drawing.states.parts.keys()].find(id => isOnSign(layout, camera, id, at));
      if (signed !== undefined) {
        this._select(signed);
        this.toggleFold();
        return;
      }
    }
    this._select(this._stage.idAt(at));
  }

  private _hover(at: { x: number; y: number } | null): void {
    const id = at === null ? -1 : this._stage.idAt(at);
    if (id !== this._hovered && this._drawing !== null) {
      this._hovered = id;
      this._canvas.style.cursor = id < 0 ? '' : this._view.isLocked ? 'pointer' : 'move';
      this._canvas.title = id < 0 ? '' : titleOf(this._drawing, id, this._options.texts);
      this._screen.schedule();
    }
  }

  private _select(id: number): void {
    if (id !== this._selected) {
      this._selected = id;
      this._announce();
      this._changed();
      this._tellSelected();
    }
  }

  private _open(id: number): void {
    if (id < 0 || this._drawing === null) {
      return;
    }
    this._select(id);
    const node = this._drawing.nodeOf(id);
    if (node === null) {
      this.openStack();
    } else {
      const place = this._drawing.placeOf(node);
      this._options.onOpen?.(place.node, place.path);
    }
  }

  /** Goes to the next or previous node; false at the end, where Tab leaves the graph. */
  private _step(direction: 1 | -1): boolean {
    const nodes = this._stage.layout?.nodes;
    if (nodes === undefined || nodes.length === 0) {
      return false;
    }
    const at = this._selected < 0 ? -1 : nodes.indexOf(this._selected);
    const next = at + direction;
    if (next < 0 || next >= nodes.length) {
      return false;
    }
    this._select(nodes[next]);
    this._stage.bringIntoView(nodes[next]);
    return true;
  }

  private _announce(): void {
    const { _drawing: drawing, _selected: id } = this;
    const hasNode = drawing !== null && id >= 0;
    this._live.textContent = hasNode
      ? describeDrawn(drawing, id, this._isLive, this._options.texts)
      : '';
  }

  private _scene(palette: IPalette, hasMotion: boolean, now: number): IScene | null {
    const { layout, camera, size } = this._stage;
    const { _drawing: drawing } = this;
    if (drawing === null || layout === null) {
      return null;
    }
    return {
      structure: drawing.structure,
      layout,
      states: drawing.states,
      counts: drawing.counts,
      marks: drawing.marks,
      found: drawing.foundDrawn,
      nodeOf: id => drawing.idOf(id),
      frames: drawing.frames,
      foldable: this._options.canUnfold === true ? drawing.states.parts : NONE,
      camera,
      size,
      palette,
      texts: this._options.texts,
      fitter: this._fitter,
      selected: this._selected,
      hovered: this._hovered,
      showEdgeLabels: this._view.showEdgeLabels,
      isLive: this._isLive,
      isMoving: now - this._movedAt < STILL_AFTER,
      hasMotion,
      now
    };
  }

  private _paint({ context, palette, hasMotion, now }: IFrame): boolean {
    const scene = this._scene(palette, hasMotion, now);
    if (scene === null) {
      return false;
    }
    const { hasRunning } = paintScene(context, scene);
    if (this._view.showMinimap) {
      paintMinimap(context, scene);
    }
    return hasRunning || scene.isMoving;
  }

  private readonly _options: IGraphCanvasOptions;
  private readonly _screen: Screen;
  private readonly _canvas: HTMLCanvasElement;
  private readonly _live: HTMLDivElement;
  private readonly _input: GraphInput;
  private readonly _fitter = new TextFitter();
  private readonly _stage: Stage;
  private _view: IGraphView;
  private _drawing: Drawing | null = null;
  private _selected = -1;
  private _hovered = -1;
  private _grabbed = -1;
  private _dragged: Shift = [0, 0];
  private _movedAt = 0;
  private _isLive = true;
}
