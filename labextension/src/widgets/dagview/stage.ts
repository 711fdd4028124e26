/** Where a graph is and what of it is seen: the layout for the room there is, and the camera. Paints nothing. */

import type { ILayout, ILayoutOptions } from '../../graph/layout';
import { layoutGraph } from '../../graph/layout';
import type { IGraphStructure } from '../../graph/structure';
import type { ICamera, ISize } from '../../graph/visible';
import { fitCamera, nodeAt, panBy, reveal, roomOf, zoomAt } from '../../graph/visible';

const FOCUS_SCALE = 0.75;
/** Pixels; narrower cards have no label. */
const READABLE_WIDTH = 40;
/** The layout is made anew when the room has changed by more than this share. */
const ROOM_CHANGE = 0.1;

/** The stage of one canvas; `top` pixels are kept free for what lies over it there. */
export class Stage {
  constructor(top: number) {
    this._top = top;
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
    this.place(options);
  }

  /** Lays the graph out and shows all of it; a stage without size does so when it has one. */
  place(options: ILayoutOptions): void {
    this._layout = null;
    if (this._structure !== null && this._size.width > 0) {
      this._room = roomOf(this._size, this._top);
      this._layout = layoutGraph(this._structure, { ...options, room: this._room });
      this._show(this._layout);
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
  resize(size: ISize, options: ILayoutOptions, selected: number): void {
    this._size = size;
    if (this._layout === null) {
      this.place(options);
      this.bringIntoView(selected);
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
    const isReadable = layout.nodeWidth[id] * this._camera.scale >= READABLE_WIDTH;
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

  private _show(layout: ILayout): void {
    this._camera = fitCamera(layout, this._size, this._top);
    this._hasMoved = false;
  }

  private _move(camera: ICamera): void {
    this._camera = camera;
    this._hasMoved = true;
  }

  private _hasOtherRoom(): boolean {
    const room = roomOf(this._size, this._top);
    const change = Math.max(
      Math.abs(Math.log(room.width / this._room.width)),
      Math.abs(Math.log(room.height / this._room.height))
    );
    return change > ROOM_CHANGE;
  }

  private readonly _top: number;
  private _structure: IGraphStructure | null = null;
  private _layout: ILayout | null = null;
  private _camera: ICamera = { x: 0, y: 0, scale: 1 };
  private _size: ISize = { width: 0, height: 0 };
  private _room: ISize = { width: 1, height: 1 };
  private _hasMoved = false;
}
