/**
 * Second half of the layout: layers become positions.
 *
 * Theory: inside a layer each item wants to stand at the mean of its neighbours; keeping order and distances, the
 * closest such arrangement is found exactly by pooling adjacent violators, in linear time. Layers with more than
 * WRAP nodes become a block of several rows, so that a fan of a thousand keeps a readable shape.
 * Everything is computed "downwards"; for the other orientation the axes are exchanged at the end.
 */

import type { IAdjacency, ILayering } from './layers';
import { layerGraph } from './layers';
import type { IGraphStructure } from './structure';

/** Where successors are drawn. */
export type Orientation = 'down' | 'right';

/** What may change the positions. */
export interface ILayoutOptions {
  orientation: Orientation;
  showParameters: boolean;
  showPostprocess: boolean;
}

/** Positions in world units; arrays are indexed by node id, hidden nodes have width 0. */
export interface ILayout {
  readonly orientation: Orientation;
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
}

/** Layers with more nodes than this are wrapped into rows. */
export const WRAP = 30;
export const CARD_WIDTH = 176;
export const CARD_HEIGHT = 46;
export const PILL_HEIGHT = 24;
const SMALL_WIDTH = 84;
const SMALL_HEIGHT = 30;
const PILL_CHARACTER = 6.6;
const PILL_MAX_WIDTH = 132;
const GAP = 22;
const LAYER_GAP = 54;
const BEND_SIZE = 6;
const SETTLE_ROUNDS = 6;

/** Positions of all visible nodes and edges. */
export function layoutGraph(structure: IGraphStructure, options: ILayoutOptions): ILayout {
  const isVisible = visibility(structure, options);
  const sizes = nodeSizes(structure, isVisible);
  const layering = layerGraph(structure, isVisible, WRAP);
  const isRight = options.orientation === 'right';
  const along = new Float32Array(layering.itemCount).fill(BEND_SIZE);
  const across = new Float32Array(layering.itemCount).fill(BEND_SIZE);
  along.set(isRight ? sizes.height : sizes.width);
  across.set(isRight ? sizes.width : sizes.height);
  const placed = place(layering, along, across, isRight);
  return finish(structure, options.orientation, layering, placed, sizes);
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

interface ISizes {
  width: Float32Array;
  height: Float32Array;
}

interface IPlaced {
  along: Float32Array;
  across: Float32Array;
  length: number;
  depth: number;
}

function nodeSizes(structure: IGraphStructure, isVisible: Uint8Array): ISizes {
  const width = new Float32Array(structure.count);
  const height = new Float32Array(structure.count);
  for (let id = 0; id < structure.count; id += 1) {
    if (isVisible[id] === 0) {
      continue;
    }
    switch (structure.kinds[id]) {
      case 'parameter': {
        const text = structure.labels[id].length * PILL_CHARACTER + 22;
        width[id] = Math.max(34, Math.min(PILL_MAX_WIDTH, text));
        height[id] = PILL_HEIGHT;
        break;
      }
      case 'electron_list':
      case 'electron_dict':
        width[id] = SMALL_WIDTH;
        height[id] = SMALL_HEIGHT;
        break;
      default:
        width[id] = CARD_WIDTH;
        height[id] = CARD_HEIGHT;
    }
  }
  return { width, height };
}

/** Coordinates along a layer (`along`) and from layer to layer (`across`), both from 0. */
function place(
  layering: ILayering,
  size: Float32Array,
  thickness: Float32Array,
  isRight: boolean
): IPlaced {
  const along = new Float32Array(layering.itemCount);
  const across = new Float32Array(layering.itemCount);
  const isWrapped = layering.layers.map(
    layer => layer.reduce((sum, item) => sum + (item < layering.nodeCount ? 1 : 0), 0) > WRAP
  );
  let depth = 0;
  layering.layers.forEach((layer, index) => {
    if (isWrapped[index]) {
      depth = placeBlock(layer, size, thickness, along, across, depth, isRight);
    } else {
      placeRow(layer, size, along);
      const thick = layer.reduce((most, item) => Math.max(most, thickness[item]), 0);
      layer.forEach(item => (across[item] = depth + thick / 2));
      depth += thick;
    }
    depth += LAYER_GAP + Math.min(90, layer.length * 1.2);
  });
  settle(layering, isWrapped, size, along);
  let low = Infinity;
  let high = -Infinity;
  for (const layer of layering.layers) {
    for (const item of layer) {
      low = Math.min(low, along[item] - size[item] / 2);
      high = Math.max(high, along[item] + size[item] / 2);
    }
  }
  if (low === Infinity) {
    return { along, across, length: 0, depth: 0 };
  }
  for (const layer of layering.layers) {
    layer.forEach(item => (along[item] -= low));
  }
  const lastLayer = layering.layers[layering.layers.length - 1];
  const bottom = lastLayer.reduce(
    (most, item) => Math.max(most, across[item] + thickness[item] / 2),
    0
  );
  return { along, across, length: high - low, depth: bottom };
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

/** Rows of equal cells, in a shape somewhat wider than high on the screen; returns where the block ends. */
function placeBlock(
  layer: readonly number[],
  size: Float32Array,
  thickness: Float32Array,
  along: Float32Array,
  across: Float32Array,
  top: number,
  isRight: boolean
): number {
  let cell = 0;
  let thick = 0;
  for (const item of layer) {
    cell = Math.max(cell, size[item]);
    thick = Math.max(thick, thickness[item]);
  }
  cell += GAP;
  thick += GAP;
  const aspect = isRight ? 1 / 1.7 : 1.7;
  const columns = Math.max(10, Math.ceil(Math.sqrt((layer.length * thick * aspect) / cell)));
  const rows = Math.ceil(layer.length / columns);
  layer.forEach((item, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, layer.length - row * columns);
    along[item] = ((index % columns) - (inRow - 1) / 2) * cell;
    across[item] = top + (row + 0.5) * thick - GAP / 2;
  });
  return top + rows * thick - GAP;
}

function settle(
  layering: ILayering,
  isWrapped: readonly boolean[],
  size: Float32Array,
  along: Float32Array
): void {
  const { layers, up, down } = layering;
  const arrange = (index: number, side: IAdjacency) => {
    if (isWrapped[index]) {
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

function finish(
  structure: IGraphStructure,
  orientation: Orientation,
  layering: ILayering,
  placed: IPlaced,
  sizes: ISizes
): ILayout {
  const isRight = orientation === 'right';
  const x = isRight ? placed.across : placed.along;
  const y = isRight ? placed.along : placed.across;
  const nodes: number[] = [];
  for (const layer of layering.layers) {
    for (const item of layer) {
      if (item < layering.nodeCount) {
        nodes.push(item);
      }
    }
  }
  const points: number[] = [];
  const pointStart = new Int32Array(layering.edges.length + 1);
  layering.edges.forEach((edge, index) => {
    const source = structure.source[edge];
    const target = structure.target[edge];
    if (isRight) {
      points.push(x[source] + sizes.width[source] / 2, y[source]);
    } else {
      points.push(x[source], y[source] + sizes.height[source] / 2);
    }
    for (const bend of layering.bends[index] ?? []) {
      points.push(x[bend], y[bend]);
    }
    if (isRight) {
      points.push(x[target] - sizes.width[target] / 2, y[target]);
    } else {
      points.push(x[target], y[target] - sizes.height[target] / 2);
    }
    pointStart[index + 1] = points.length / 2;
  });
  return {
    orientation,
    width: isRight ? placed.depth : placed.length,
    height: isRight ? placed.length : placed.depth,
    x: x.slice(0, structure.count),
    y: y.slice(0, structure.count),
    nodeWidth: sizes.width,
    nodeHeight: sizes.height,
    nodes: Int32Array.from(nodes),
    edges: layering.edges,
    points: Float32Array.from(points),
    pointStart
  };
}
