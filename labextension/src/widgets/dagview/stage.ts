/** Where a graph is and what of it is seen: the layout for the room there is, and the camera. Paints nothing. */

import { arrangeGraph } from '../../graph/arrange';
import type { ILayout, ILayoutOptions } from '../../graph/layout';
import type { ILayouter } from '../../graph/layouter';
import { isQuick } from '../../graph/layouter';
import { detached, moveNode } from '../../graph/positions';
import type { IGraphStructure } from '../../graph/structure';
import type { ICamera, ISize } from '../../graph/visible';
import { fitCamera, nodeAt, panBy, reveal, roomOf, zoomAt } from '../../graph/visible';

const FOCUS_SCALE = 0.75;
/** Pixels; narrower cards have no label. */
const READABLE_WIDTH = 40;
/** The layout is made anew when the room has changed by more than this share. */
const ROOM_CHANGE = 0.1;

/** What a stage is made with. */
export interface IStageOptions {
  /** Pixels kept free for what lies over the stage at its top. */
  top: () => number;
  /** Makes layouts that take long; without it all are made at once. */
  layouter: ILayouter | null;
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
  setStructure(structure: IGraphStructure, options: ILayoutOptions): void {
    this._structure = structure;
    this._layout = null;
    this.place(options);
  }

  /** Whether a layout is being made. */
  get isBusy(): boolean {
    return this._isBusy;
  }

  /** Lays the graph out and shows all of it; a stage without size does so when it has one. */
  place(options: ILayoutOptions): void {
    if (this._structure === null || this._size.width === 0) {
      return;
    }
    const { orientation, arrangement, showParameters, showPostprocess } = options;
    this._room = roomOf(this._size, this._options.top());
    const request = {
      structure: this._structure,
      options: { orientation, arrangement, showParameters, showPostprocess, room: this._room }
    };
    const { layouter } = this._options;
    const take = (layout: ILayout) => {
      this._layout = layout;
      this._isBusy = false;
      this._grabbed = -1;
      this._show(layout);
      this._options.placed();
    };
    if (layouter === null || isQuick(request)) {
      layouter?.dispose();
      take(arrangeGraph(request.structure, request.options));
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

  /** Moves a node by pixels; it stays there until the next layout. */
  moveNode(id: number, dx: number, dy: number): void {
    if (this._structure === null || this._layout === null) {
      return;
    }
    if (this._grabbed !== id) {
      this._layout = detached(this._structure, this._layout, id);
      this._grabbed = id;
    }
    const { scale } = this._camera;
    moveNode(this._structure, this._layout, id, dx / scale, dy / scale);
    this._hasMoved = true;
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
  private _structure: IGraphStructure | null = null;
  private _layout: ILayout | null = null;
  private _camera: ICamera = { x: 0, y: 0, scale: 1 };
  private _size: ISize = { width: 0, height: 0 };
  private _room: ISize = { width: 1, height: 1 };
  private _hasMoved = false;
}
