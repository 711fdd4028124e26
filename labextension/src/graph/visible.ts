/** Camera, culling and hit tests: pure geometry between world and screen. */

import type { ILayout } from './layout';

/** Screen = (world - origin) * scale. */
export interface ICamera {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/** A size in CSS pixels. */
export interface ISize {
  readonly width: number;
  readonly height: number;
}

/** A rectangle in world units. */
export interface IView {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** How much of a node is drawn: two lines of text, one, the sign of its status, its colour. */
export type Detail = 'full' | 'label' | 'sign' | 'box' | 'dot';

/** Free space around a graph, in pixels. */
export const MARGIN = 28;

export const MIN_SCALE = 0.01;
export const MAX_SCALE = 3;

/** A camera that shows the whole layout, never enlarged beyond `limit`; `top` is kept free for what lies there. */
export function fitCamera(layout: ILayout, size: ISize, top = MARGIN, limit = 1.15): ICamera {
  const room = roomOf(size, top);
  const scale = clampScale(
    Math.min(
      limit,
      room.width / Math.max(1, layout.width),
      room.height / Math.max(1, layout.height)
    )
  );
  return {
    scale,
    x: layout.width / 2 - size.width / 2 / scale,
    y: layout.height / 2 - (top + room.height / 2) / scale
  };
}

/** What is left of a size for the graph. */
export function roomOf(size: ISize, top = MARGIN): ISize {
  return {
    width: Math.max(1, size.width - 2 * MARGIN),
    height: Math.max(1, size.height - MARGIN - top)
  };
}

/** Pixels that a layout takes at a scale, with its margins. */
export function heightFor(layout: ILayout, scale: number): number {
  return Math.ceil(layout.height * scale) + 2 * MARGIN;
}

/** Enlarges by a factor and keeps the world point under a screen point where it is. */
export function zoomAt(camera: ICamera, factor: number, at: { x: number; y: number }): ICamera {
  const scale = clampScale(camera.scale * factor);
  return {
    scale,
    x: camera.x + at.x / camera.scale - at.x / scale,
    y: camera.y + at.y / camera.scale - at.y / scale
  };
}

/** Moves the picture by screen pixels. */
export function panBy(camera: ICamera, dx: number, dy: number): ICamera {
  return { ...camera, x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale };
}

/** The least movement that brings a node fully into view; the same camera if it already is. */
export function reveal(camera: ICamera, layout: ILayout, id: number, size: ISize): ICamera {
  const margin = 24 / camera.scale;
  const halfWidth = layout.nodeWidth[id] / 2 + margin;
  const halfHeight = layout.nodeHeight[id] / 2 + margin;
  const wide = size.width / camera.scale;
  const high = size.height / camera.scale;
  const x = nudge(camera.x, camera.x + wide, layout.x[id] - halfWidth, layout.x[id] + halfWidth);
  const y = nudge(camera.y, camera.y + high, layout.y[id] - halfHeight, layout.y[id] + halfHeight);
  return x === 0 && y === 0 ? camera : { ...camera, x: camera.x + x, y: camera.y + y };
}

/** The part of the world on the screen. */
export function viewOf(camera: ICamera, size: ISize): IView {
  return {
    left: camera.x,
    top: camera.y,
    right: camera.x + size.width / camera.scale,
    bottom: camera.y + size.height / camera.scale
  };
}

/** What there is room for on a node of this size on the screen, in pixels. */
export function detailOf(width: number, height: number): Detail {
  if (width >= 40 && height >= 11) {
    return width >= 72 && height >= 25 ? 'full' : 'label';
  }
  if (width >= 12 && height >= 8) {
    return 'sign';
  }
  return height >= 3 ? 'box' : 'dot';
}

/** Ids of the nodes that touch the view. */
export function nodesInView(layout: ILayout, view: IView): number[] {
  const found: number[] = [];
  for (const id of layout.nodes) {
    const halfWidth = layout.nodeWidth[id] / 2;
    const halfHeight = layout.nodeHeight[id] / 2;
    if (
      layout.x[id] + halfWidth >= view.left &&
      layout.x[id] - halfWidth <= view.right &&
      layout.y[id] + halfHeight >= view.top &&
      layout.y[id] - halfHeight <= view.bottom
    ) {
      found.push(id);
    }
  }
  return found;
}

/** Positions in `layout.edges` of the edges whose bounding box touches the view. */
export function edgesInView(layout: ILayout, view: IView): number[] {
  const found: number[] = [];
  for (let edge = 0; edge < layout.edges.length; edge += 1) {
    let left = Infinity;
    let right = -Infinity;
    let top = Infinity;
    let bottom = -Infinity;
    for (let point = layout.pointStart[edge]; point < layout.pointStart[edge + 1]; point += 1) {
      const x = layout.points[2 * point];
      const y = layout.points[2 * point + 1];
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
    if (right >= view.left && left <= view.right && bottom >= view.top && top <= view.bottom) {
      found.push(edge);
    }
  }
  return found;
}

/** The node at a world point, or -1. `slack` widens small targets. */
export function nodeAt(layout: ILayout, x: number, y: number, slack = 0): number {
  let found = -1;
  for (const id of layout.nodes) {
    if (
      Math.abs(layout.x[id] - x) <= layout.nodeWidth[id] / 2 + slack &&
      Math.abs(layout.y[id] - y) <= layout.nodeHeight[id] / 2 + slack
    ) {
      found = id;
    }
  }
  return found;
}

function clampScale(scale: number): number {
  return Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale));
}

function nudge(low: number, high: number, from: number, to: number): number {
  if (to - from > high - low) {
    return (from + to - low - high) / 2;
  }
  if (from < low) {
    return from - low;
  }
  return to > high ? to - high : 0;
}
