/**
 * The layout: layers become positions.
 *
 * Theory: inside a layer each item wants to stand at the mean of its neighbours; keeping order and distances, the
 * closest such arrangement is found exactly by pooling adjacent violators, in linear time. Layers too wide for the room
 * become blocks of several rows, so that a fan of a thousand keeps a readable shape.
 * Everything is computed "downwards"; for other orientations the axes are exchanged, or mirrored, at the end.
 */

import type { BlockPlan, IRoom } from './blocks';
import {
  COLUMN_GAP,
  DEFAULT_ROOM,
  fillGrids,
  GAP,
  gapAfter,
  GRID_GAP,
  gridExtent,
  MIN_BLOCK,
  planBlocks,
  ROW_GAP
} from './blocks';
import type { IAdjacency, ILayering } from './layers';
import { orderLayers, rankNodes } from './layers';
import { isHorizontal, mirrored } from './positions';
import type { IBlockBounds, IPositions } from './routes';
import { routeEdges } from './routes';
import type { Frames, ISizes } from './sizes';
import { nodeSizes } from './sizes';
import type { IGraphStructure } from './structure';

/** Where successors are drawn. */
export type Orientation = 'down' | 'up' | 'right' | 'left';

/** In the order in which a button goes through them. */
export const ORIENTATIONS: readonly Orientation[] = ['down', 'up', 'right', 'left'];

/** How nodes are arranged. */
export type Arrangement = 'layered' | 'tree' | 'force' | 'rectangles' | 'boxes';

export const ARRANGEMENTS: readonly Arrangement[] = [
  'layered',
  'tree',
  'force',
  'rectangles',
  'boxes'
];

/** What may change the positions. */
export interface ILayoutOptions {
  orientation: Orientation;
  /** Layers if left out. */
  arrangement?: Arrangement;
  showParameters: boolean;
  showPostprocess: boolean;
  /** Decides how wide layers are broken; a usual size if it is not known. */
  room?: IRoom;
  /** Nodes that are frames around other graphs, and how large. */
  frames?: Frames;
}

/** Positions in world units; arrays are indexed by node id, hidden nodes have width 0. */
export interface ILayout {
  readonly orientation: Orientation;
  /** Edges are lines from border to border; otherwise they leave and enter in the direction of the flow. */
  readonly isStraight: boolean;
  readonly width: number;
  readonly height: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly nodeWidth: Float32Array;
  readonly nodeHeight: Float32Array;
  /** Ids of visible nodes in reading order. */
  readonly nodes: Int32Array;
  /** Indices of visible edges in the structure; edge i passes the points from pointStart[i] to pointStart[i+1]. */
  readonly edges: Int32Array;
  readonly points: Float32Array;
  readonly pointStart: Int32Array;
  /** How edge i joins its nodes; see `LEAVES_BY_SIDE` and `ENTERS_BY_SIDE`. */
  readonly joints: Uint8Array;
  /** Whether another room could lead to other positions. */
  readonly dependsOnRoom: boolean;
}

const BEND_SIZE = 6;
const SETTLE_ROUNDS = 6;

/** Positions of all visible nodes and edges, in layers. */
export function layoutGraph(structure: IGraphStructure, options: ILayoutOptions): ILayout {
  const isVisible = visibility(structure, options);
  const isRight = isHorizontal(options.orientation);
  const sizes = nodeSizes(structure, isVisible, options.frames);
  const ranking = rankNodes(structure, isVisible);
  const room = options.room ?? DEFAULT_ROOM;
  const plan = planBlocks(structure, ranking.layers, sizes, isRight, room, options.frames);
  const isBlock = plan.map(block => block !== null);
  const layering = orderLayers(structure, ranking, isBlock);
  const positions = place(structure, layering, sizes, plan, isRight);
  const dependsOnRoom = ranking.layers.some(layer => layer.length >= MIN_BLOCK);
  const layout = finish(structure, isRight, layering, positions, sizes, dependsOnRoom);
  const isBackwards = options.orientation === 'up' || options.orientation === 'left';
  return isBackwards ? mirrored(layout, options.orientation) : layout;
}

/** Which nodes are drawn: 1 or 0 for each id. */
export function visibility(structure: IGraphStructure, options: ILayoutOptions): Uint8Array {
  return Uint8Array.from(structure.kinds, kind =>
    (kind === 'parameter' && !options.showParameters) ||
    (kind === 'postprocess' && !options.showPostprocess)
      ? 0
      : 1
  );
}

/** Coordinates along a layer and from layer to layer; sets the sizes of nodes in blocks. */
function place(
  structure: IGraphStructure,
  layering: ILayering,
  sizes: ISizes,
  plan: readonly BlockPlan[],
  isRight: boolean
): IPositions {
  const { layers, itemCount } = layering;
  const at = {
    along: new Float32Array(itemCount),
    across: new Float32Array(itemCount),
    size: new Float32Array(itemCount).fill(BEND_SIZE),
    thickness: new Float32Array(itemCount).fill(BEND_SIZE),
    blocks: new Array<IBlockBounds | null>(layers.length).fill(null),
    gridTop: new Float32Array(structure.count),
    gridBottom: new Float32Array(structure.count)
  };
  at.size.set(isRight ? sizes.height : sizes.width);
  at.thickness.set(isRight ? sizes.width : sizes.height);
  let depth = 0;
  layers.forEach((layer, index) => {
    const grids = plan[index];
    if (grids !== null) {
      const filled = fillGrids(structure, grids, layer);
      layers[index] = filled.order;
      const bounds = placeBlock(filled.grids, sizes, at, depth, isRight);
      at.blocks[index] = bounds;
      depth = bounds.bottom;
    } else {
      placeRow(layer, at.size, at.along);
      const thick = layer.reduce((most, item) => Math.max(most, at.thickness[item]), 0);
      layer.forEach(item => (at.across[item] = depth + thick / 2));
      depth += thick;
    }
    depth += gapAfter(layer.length, grids !== null);
  });
  settle(layering, plan, at.size, at.along);
  return at;
}

function placeRow(layer: readonly number[], size: Float32Array, along: Float32Array): void {
  let total = 0;
  for (const item of layer) {
    total += size[item] + GAP;
  }
  let at = -total / 2;
  for (const item of layer) {
    along[item] = at + (size[item] + GAP) / 2;
    at += size[item] + GAP;
  }
}

/** Grid under grid, each around 0; an incomplete last row begins where the others do. */
function placeBlock(
  grids: NonNullable<BlockPlan>,
  sizes: ISizes,
  at: IPositions,
  top: number,
  isRight: boolean
): IBlockBounds {
  let depth = top;
  let half = 0;
  for (const grid of grids) {
    const { length, thick } = gridExtent(grid, isRight);
    const [size, thickness] = isRight ? [grid.height, grid.width] : [grid.width, grid.height];
    grid.ids.forEach((id, index) => {
      const row = Math.floor(index / grid.columns);
      const column = index % grid.columns;
      at.along[id] = column * (size + COLUMN_GAP) + (size - length) / 2;
      at.across[id] = depth + row * (thickness + ROW_GAP) + thickness / 2;
      at.size[id] = size;
      at.thickness[id] = thickness;
      at.gridTop[id] = depth;
      at.gridBottom[id] = depth + thick;
      sizes.width[id] = grid.width;
      sizes.height[id] = grid.height;
    });
    half = Math.max(half, length / 2);
    depth += thick + GRID_GAP;
  }
  return { low: -half, high: half, top, bottom: depth - GRID_GAP };
}

function settle(
  layering: ILayering,
  plan: readonly BlockPlan[],
  size: Float32Array,
  along: Float32Array
): void {
  const { layers, up, down } = layering;
  const arrange = (index: number, side: IAdjacency) => {
    if (plan[index] !== null) {
      return;
    }
    const layer = layers[index];
    const wanted = layer.map(item => {
      const first = side.start[item];
      const last = side.start[item + 1];
      let sum = 0;
      for (let i = first; i < last; i += 1) {
        sum += along[side.item[i]];
      }
      return last > first ? sum / (last - first) : along[item];
    });
    pool(layer, wanted, size, along);
  };
  for (let round = 0; round < SETTLE_ROUNDS; round += 1) {
    if (round % 2 === 0) {
      for (let index = layers.length - 2; index >= 0; index -= 1) {
        arrange(index, down);
      }
    } else {
      for (let index = 1; index < layers.length; index += 1) {
        arrange(index, up);
      }
    }
  }
}

/** Sets positions closest (least squares) to the wanted ones that keep the order and the distances. */
function pool(
  layer: readonly number[],
  wanted: readonly number[],
  size: Float32Array,
  along: Float32Array
): void {
  const offset: number[] = [];
  let at = 0;
  layer.forEach((item, index) => {
    if (index > 0) {
      at += (size[layer[index - 1]] + size[item]) / 2 + GAP;
    }
    offset.push(at);
  });
  const sum: number[] = [];
  const weight: number[] = [];
  for (let index = 0; index < layer.length; index += 1) {
    let total = wanted[index] - offset[index];
    let count = 1;
    while (sum.length > 0 && sum[sum.length - 1] / weight[weight.length - 1] >= total / count) {
      total += sum.pop() as number;
      count += weight.pop() as number;
    }
    sum.push(total);
    weight.push(count);
  }
  let index = 0;
  sum.forEach((total, block) => {
    for (let i = 0; i < weight[block]; i += 1) {
      along[layer[index]] = total / weight[block] + offset[index];
      index += 1;
    }
  });
}

/** Moves everything to begin at 0, leads the edges, and exchanges the axes if need be. */
function finish(
  structure: IGraphStructure,
  isRight: boolean,
  layering: ILayering,
  at: IPositions,
  sizes: ISizes,
  dependsOnRoom: boolean
): ILayout {
  const routes = routeEdges(structure, layering, at);
  const nodes: number[] = [];
  let [low, high, depth] = [Infinity, -Infinity, 0];
  for (const layer of layering.layers) {
    for (const item of layer) {
      low = Math.min(low, at.along[item] - at.size[item] / 2);
      high = Math.max(high, at.along[item] + at.size[item] / 2);
      depth = Math.max(depth, at.across[item] + at.thickness[item] / 2);
      if (item < layering.nodeCount) {
        nodes.push(item);
      }
    }
  }
  for (let i = 0; i < routes.points.length; i += 2) {
    low = Math.min(low, routes.points[i]);
    high = Math.max(high, routes.points[i]);
  }
  const length = nodes.length > 0 ? high - low : 0;
  const points = new Float32Array(routes.points.length);
  for (let i = 0; i < points.length; i += 2) {
    points[isRight ? i + 1 : i] = routes.points[i] - low;
    points[isRight ? i : i + 1] = routes.points[i + 1];
  }
  const along = at.along.slice(0, structure.count).map(value => value - low);
  const across = at.across.slice(0, structure.count);
  return {
    orientation: isRight ? 'right' : 'down',
    isStraight: false,
    width: isRight ? depth : length,
    height: isRight ? length : depth,
    x: isRight ? across : along,
    y: isRight ? along : across,
    nodeWidth: sizes.width,
    nodeHeight: sizes.height,
    nodes: Int32Array.from(nodes),
    edges: layering.edges,
    points,
    pointStart: routes.pointStart,
    joints: routes.joints,
    dependsOnRoom
  };
}
