/** From places of nodes to a layout: what all arrangements share. Edges are straight, or go with the flow. */

import type { ILayout, Orientation } from './layout';
import type { ISizes } from './sizes';
import type { IGraphStructure } from './structure';

/** Whether successors are drawn beside their sources rather than above or below. */
export function isHorizontal(orientation: Orientation): boolean {
  return orientation === 'right' || orientation === 'left';
}

/** The indices of edges between two different visible nodes. */
export function visibleEdges(structure: IGraphStructure, isVisible: Uint8Array): Int32Array {
  const edges: number[] = [];
  for (let edge = 0; edge < structure.source.length; edge += 1) {
    const source = structure.source[edge];
    const target = structure.target[edge];
    if (source !== target && isVisible[source] === 1 && isVisible[target] === 1) {
      edges.push(edge);
    }
  }
  return Int32Array.from(edges);
}

/** Nodes at their places, moved to begin at 0; every edge leads from border to border. */
export function layoutFromPlaces(
  structure: IGraphStructure,
  placed: {
    nodes: readonly number[];
    edges: Int32Array;
    x: Float32Array;
    y: Float32Array;
    sizes: ISizes;
    orientation: Orientation;
    isStraight: boolean;
    dependsOnRoom: boolean;
  }
): ILayout {
  const { nodes, edges, sizes } = placed;
  const x = placed.x.slice();
  const y = placed.y.slice();
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const id of nodes) {
    left = Math.min(left, x[id] - sizes.width[id] / 2);
    right = Math.max(right, x[id] + sizes.width[id] / 2);
    top = Math.min(top, y[id] - sizes.height[id] / 2);
    bottom = Math.max(bottom, y[id] + sizes.height[id] / 2);
  }
  for (const id of nodes) {
    x[id] -= left;
    y[id] -= top;
  }
  const layout: ILayout = {
    orientation: placed.orientation,
    isStraight: placed.isStraight,
    width: nodes.length > 0 ? right - left : 0,
    height: nodes.length > 0 ? bottom - top : 0,
    x,
    y,
    nodeWidth: sizes.width,
    nodeHeight: sizes.height,
    nodes: Int32Array.from(nodes),
    edges,
    points: new Float32Array(4 * edges.length),
    pointStart: Int32Array.from({ length: edges.length + 1 }, (_, edge) => 2 * edge),
    joints: new Uint8Array(edges.length),
    dependsOnRoom: placed.dependsOnRoom
  };
  edges.forEach((_, edge) => placeEnds(structure, layout, edge));
  return layout;
}

/** The same layout seen in a mirror, for flows up and to the left. */
export function mirrored(layout: ILayout, orientation: Orientation): ILayout {
  const axis = isHorizontal(orientation) ? 0 : 1;
  const extent = axis === 0 ? layout.width : layout.height;
  const flip = (values: Float32Array) => values.map(value => extent - value);
  return {
    ...layout,
    orientation,
    x: axis === 0 ? flip(layout.x) : layout.x,
    y: axis === 1 ? flip(layout.y) : layout.y,
    points: layout.points.map((value, index) => (index % 2 === axis ? extent - value : value))
  };
}

/**
 * A layout in which nodes can be moved: edges between them and the others lead straight on, without bends. Everything
 * else is shared.
 */
export function detached(
  structure: IGraphStructure,
  layout: ILayout,
  ids: ReadonlySet<number>
): ILayout {
  const points: number[] = [];
  const pointStart = new Int32Array(layout.edges.length + 1);
  const joints = layout.joints.slice();
  layout.edges.forEach((edge, index) => {
    if (ids.has(structure.source[edge]) !== ids.has(structure.target[edge])) {
      joints[index] = 0;
      points.push(0, 0, 0, 0);
    } else {
      for (let i = 2 * layout.pointStart[index]; i < 2 * layout.pointStart[index + 1]; i += 1) {
        points.push(layout.points[i]);
      }
    }
    pointStart[index + 1] = points.length / 2;
  });
  const free = {
    ...layout,
    x: layout.x.slice(),
    y: layout.y.slice(),
    points: Float32Array.from(points),
    pointStart,
    joints
  };
  moveNodes(structure, free, ids, 0, 0);
  return free;
}

/** Moves nodes of a layout made by `detached` for them; a drag makes many such steps, so the layout itself is changed. */
export function moveNodes(
  structure: IGraphStructure,
  layout: ILayout,
  ids: ReadonlySet<number>,
  dx: number,
  dy: number
): void {
  for (const id of ids) {
    layout.x[id] += dx;
    layout.y[id] += dy;
  }
  layout.edges.forEach((edge, index) => {
    const [leaves, enters] = [ids.has(structure.source[edge]), ids.has(structure.target[edge])];
    if (leaves && enters) {
      for (let i = 2 * layout.pointStart[index]; i < 2 * layout.pointStart[index + 1]; i += 1) {
        layout.points[i] += i % 2 === 0 ? dx : dy;
      }
    } else if (leaves || enters) {
      placeEnds(structure, layout, index);
    }
  });
}

/** How far a node was moved, in world units. */
export type Shift = readonly [dx: number, dy: number];

/** A layout with nodes moved from where it put them; `inside` are the nodes that go with a frame. */
export function withShifts(
  structure: IGraphStructure,
  layout: ILayout,
  shifts: ReadonlyMap<number, Shift>,
  inside: ReadonlyMap<number, readonly number[]> = new Map()
): ILayout {
  let moved = layout;
  for (const [id, [dx, dy]] of shifts) {
    if (id < layout.x.length && layout.nodeWidth[id] > 0) {
      const ids = new Set([id, ...(inside.get(id) ?? [])]);
      moved = detached(structure, moved, ids);
      moveNodes(structure, moved, ids, dx, dy);
    }
  }
  return moved === layout ? layout : fromOrigin(moved);
}

/** The same layout, moved to begin at 0 and as large as what is in it. */
function fromOrigin(layout: ILayout): ILayout {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const id of layout.nodes) {
    left = Math.min(left, layout.x[id] - layout.nodeWidth[id] / 2);
    right = Math.max(right, layout.x[id] + layout.nodeWidth[id] / 2);
    top = Math.min(top, layout.y[id] - layout.nodeHeight[id] / 2);
    bottom = Math.max(bottom, layout.y[id] + layout.nodeHeight[id] / 2);
  }
  layout.points.forEach((value, index) => {
    if (index % 2 === 0) {
      [left, right] = [Math.min(left, value), Math.max(right, value)];
    } else {
      [top, bottom] = [Math.min(top, value), Math.max(bottom, value)];
    }
  });
  return {
    ...layout,
    width: right - left,
    height: bottom - top,
    x: layout.x.map(value => value - left),
    y: layout.y.map(value => value - top),
    points: layout.points.map((value, index) => value - (index % 2 === 0 ? left : top))
  };
}

function placeEnds(structure: IGraphStructure, layout: ILayout, edge: number): void {
  const { x, y, nodeWidth, nodeHeight, points, pointStart } = layout;
  const source = structure.source[layout.edges[edge]];
  const target = structure.target[layout.edges[edge]];
  const [from, to] = [2 * pointStart[edge], 2 * (pointStart[edge + 1] - 1)];
  if (layout.isStraight) {
    const dx = x[target] - x[source];
    const dy = y[target] - y[source];
    const out = borderShare(nodeWidth[source], nodeHeight[source], dx, dy);
    const into = borderShare(nodeWidth[target], nodeHeight[target], dx, dy);
    points.set([x[source] + out * dx, y[source] + out * dy], from);
    points.set([x[target] - into * dx, y[target] - into * dy], to);
    return;
  }
  const sign = layout.orientation === 'up' || layout.orientation === 'left' ? -1 : 1;
  const [wide, high] = isHorizontal(layout.orientation) ? [sign / 2, 0] : [0, sign / 2];
  points.set([x[source] + wide * nodeWidth[source], y[source] + high * nodeHeight[source]], from);
  points.set([x[target] - wide * nodeWidth[target], y[target] - high * nodeHeight[target]], to);
}

/** The part of the way (dx, dy) from a rectangle's centre that lies inside it; at most half, where cards touch. */
function borderShare(width: number, height: number, dx: number, dy: number): number {
  const across = dx === 0 ? Infinity : width / 2 / Math.abs(dx);
  const along = dy === 0 ? Infinity : height / 2 / Math.abs(dy);
  return Math.min(0.5, across, along);
}
