/** Where a graph is and what of it is seen: the layout for the room there is, and the camera. Paints nothing. */

import type { ILayout, ILayoutOptions } from '../../graph/layout';
import type { ILayouter } from '../../graph/layouter';
import { isQuick } from '../../graph/layouter';
import type { INestedGraph } from '../../graph/nesting';
import { arrangeNested, FRAME_HEAD } from '../../graph/nesting';
import type { Shift } from '../../graph/positions';
import { detached, moveNodes, withShifts } from '../../graph/positions';
import type { IGraphStructure } from '../../graph/structure';
import type { ICamera, ISize } from '../../graph/visible';
import { fitCamera, nodeAt, panBy, reveal, roomOf, zoomAt } from '../../graph/visible';

const FOCUS_SCALE = 0.75;
/** Pixels; narrower cards have no label. */
const READABLE_WIDTH = 40;
/** The layout is made anew when the room has changed by more than this share. */
const ROOM_CHANGE = 0.1;

/** What a stage arranges: see `Drawing`. */
export interface IStageGraph {
  readonly graph: INestedGraph;
  /** All of it as one graph. */
  readonly structure: IGraphStructure;
  /** What is inside of each frame. */
  readonly frames: ReadonlyMap<number, readonly number[]>;
  frameOf(id: number): number;
}

/** What a stage is made with. */
export interface IStageOptions {
  /** Pixels kept free for what lies over the stage at its top. */
  top: () => number;
  /** Makes layouts that take long; without it all are made at once. */
  layouter: ILayouter | null;
  /** How far nodes were moved from where such a layout puts them. */
  shifts: (options: ILayoutOptions) => ReadonlyMap<number, Shift>;
  /** A layout is there, or another one instead of the last. */
  placed: () => void;
}

/** The stage of one canvas. */
export class Stage {
  constructor(options: IStageOptions) {
    this._options = options;
  }

  /** Null without a graph, or without a size. */
  get layout(): ILayout | null {
    return this._layout;
  }

  get camera(): ICamera {
    return this._camera;
  }

  get size(): ISize {
    return this._size;
  }

  /** Takes a graph and lays it out. */
  setGraph(graph: IStageGraph, options: ILayoutOptions): void {
    this._graph = graph;
    this._layout = null;
    this.place(options);
  }

  /** Whether a layout is being made. */
  get isBusy(): boolean {
    return this._isBusy;
  }

  /** Lays the graph out and shows all of it; a stage without size does so when it has one. */
  place(options: ILayoutOptions): void {
    const shown = this._graph;
    if (shown === null || this._size.width === 0) {
      return;
    }
    const { orientation, arrangement, showParameters, showPostprocess } = options;
    this._room = roomOf(this._size, this._options.top());
    const request = {
      graph: shown.graph,
      options: { orientation, arrangement, showParameters, showPostprocess, room: this._room }
    };
    const { layouter } = this._options;
    const take = (layout: ILayout) => {
      const shifts = this._options.shifts(options);
      this._layout = withShifts(shown.structure, layout, shifts, shown.frames);
      this._isBusy = false;
      this._grabbed = -1;
      this._show(this._layout);
      this._options.placed();
    };
    if (layouter === null || isQuick(request)) {
      layouter?.dispose();
      take(arrangeNested(request.graph, request.options));
    } else {
      this._isBusy = true;
      layouter.arrange(request, take);
    }
  }

  /** Shows the whole graph, as large as the room allows. */
  fit(options: ILayoutOptions): void {
    if (this._layout === null || (this._layout.dependsOnRoom && this._hasOtherRoom())) {
      this.place(options);
    } else {
      this._show(this._layout);
    }
  }

  /** Takes a new size; a graph shown whole stays so. */
  resize(size: ISize, options: ILayoutOptions): void {
    this._size = size;
    if (this._layout === null) {
      this.place(options);
    } else if (!this._hasMoved) {
      this.fit(options);
    }
  }

  pan(dx: number, dy: number): void {
    this._move(panBy(this._camera, dx, dy));
  }

  /** Enlarges around a point on the screen, or around the middle. */
  zoom(factor: number, at?: { x: number; y: number }): void {
    const middle = { x: this._size.width / 2, y: this._size.height / 2 };
    this._move(zoomAt(this._camera, factor, at ?? middle));
  }

  /** Moves as little as possible to show a node; one too small to be read is enlarged in the middle. */
  bringIntoView(id: number): void {
    const layout = this._layout;
    if (id < 0 || layout === null || layout.nodeWidth[id] === 0) {
      return;
    }
    const { scale } = this._camera;
    const isReadable = scale >= FOCUS_SCALE || layout.nodeWidth[id] * scale >= READABLE_WIDTH;
    const camera = isReadable
      ? reveal(this._camera, layout, id, this._size)
      : {
          scale: FOCUS_SCALE,
          x: layout.x[id] - this._size.width / 2 / FOCUS_SCALE,
          y: layout.y[id] - this._size.height / 2 / FOCUS_SCALE
        };
    if (camera !== this._camera) {
      this._move(camera);
    }
  }

  /** The node at a point on the screen, or -1. */
  idAt(at: { x: number; y: number }): number {
    if (this._layout === null) {
      return -1;
    }
    const { x, y, scale } = this._camera;
    return nodeAt(this._layout, x + at.x / scale, y + at.y / scale, 2 / scale);
  }

  /** Moves a node by pixels, with what is inside of it; it stays in its frame. Returns how far it got, in world units. */
  moveNode(id: number, dx: number, dy: number): Shift {
    const graph = this._graph;
    if (graph === null || this._layout === null) {
      return [0, 0];
    }
    const ids = new Set([id, ...(graph.frames.get(id) ?? [])]);
    if (this._grabbed !== id) {
      this._layout = detached(graph.structure, this._layout, ids);
      this._grabbed = id;
    }
    const { scale } = this._camera;
    const wanted: Shift = [dx / scale, dy / scale];
    const frame = graph.frameOf(id);
    const shift = frame < 0 ? wanted : shiftInside(this._layout, frame, id, wanted);
    moveNodes(graph.structure, this._layout, ids, ...shift);
    this._hasMoved = true;
    return shift;
  }

  dispose(): void {
    this._options.layouter?.dispose();
  }

  private _show(layout: ILayout): void {
    this._camera = fitCamera(layout, this._size, this._options.top());
    this._hasMoved = false;
  }

  private _move(camera: ICamera): void {
    this._camera = camera;
    this._hasMoved = true;
  }

  private _hasOtherRoom(): boolean {
    const room = roomOf(this._size, this._options.top());
    const change = Math.max(
      Math.abs(Math.log(room.width / this._room.width)),
      Math.abs(Math.log(room.height / this._room.height))
    );
    return change > ROOM_CHANGE;
  }

  private readonly _options: IStageOptions;
  private _isBusy = false;
  private _grabbed = -1;
  private _graph: IStageGraph | null = null;
  private _layout: ILayout | null = null;
  private _camera: ICamera = { x: 0, y: 0, scale: 1 };
  private _size: ISize = { width: 0, height: 0 };
  private _room: ISize = { width: 1, height: 1 };
  private _hasMoved = false;
}

/** As much of a movement as leaves a node inside of a frame. */
function shiftInside(layout: ILayout, frame: number, id: number, [dx, dy]: Shift): Shift {
  const { x, y, nodeWidth, nodeHeight } = layout;
  const side = (nodeWidth[frame] - nodeWidth[id]) / 2;
  const [above, below] = [
    (nodeHeight[frame] - nodeHeight[id]) / 2 - FRAME_HEAD,
    (nodeHeight[frame] - nodeHeight[id]) / 2
  ];
  return [
    within(x[id] + dx, x[frame] - side, x[frame] + side) - x[id],
    within(y[id] + dy, y[frame] - above, y[frame] + below) - y[id]
  ];
}

function within(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
