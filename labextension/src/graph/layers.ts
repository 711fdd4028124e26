/** First half of the layout: which layer each node is in, and the order inside layers. Linear in nodes and edges. */

import { visibleEdges } from './positions';
import type { IGraphStructure } from './structure';

/** Nodes in layers, joined by links; ids from `nodeCount` on are bends of edges that cross layers. */
export interface ILayering {
  readonly layers: number[][];
  readonly layerOf: Int32Array;
  readonly itemCount: number;
  readonly nodeCount: number;
  /** Neighbours in compressed rows: those above, those below. */
  readonly up: IAdjacency;
  readonly down: IAdjacency;
  /** For each visible edge its index in the structure and the bends it passes. */
  readonly edges: Int32Array;
  readonly bends: readonly (readonly number[] | null)[];
}

/** Neighbour lists in two flat arrays: those of item i lie from start[i] to start[i+1]. */
export interface IAdjacency {
  readonly start: Int32Array;
  readonly item: Int32Array;
}

const SWEEPS = 8;
const MAX_BENDS = 6000;

/** Which layer each visible node is in, before any order inside layers. */
export interface IRanking {
  readonly layers: readonly (readonly number[])[];
  readonly layerOf: Int32Array;
  readonly edges: Int32Array;
}

/** Puts visible nodes into layers. */
export function rankNodes(structure: IGraphStructure, isVisible: Uint8Array): IRanking {
  const edges = visibleEdges(structure, isVisible);
  const layerOf = assignLayers(structure, isVisible, edges);
  const layers: number[][] = [];
  for (let id = 0; id < structure.count; id += 1) {
    if (isVisible[id] === 1) {
      while (layers.length <= layerOf[id]) {
        layers.push([]);
      }
      layers[layerOf[id]].push(id);
    }
  }
  return { layers, layerOf, edges };
}

/** Puts layers in order; long edges go through bends where that stays affordable, except in blocks. */
export function orderLayers(
  structure: IGraphStructure,
  ranking: IRanking,
  isBlock: readonly boolean[]
): ILayering {
  const { edges, layerOf } = ranking;
  const rowsBefore = new Int32Array(isBlock.length + 1);
  isBlock.forEach((block, layer) => (rowsBefore[layer + 1] = rowsBefore[layer] + (block ? 0 : 1)));
  const bends = edges.reduce((sum, edge) => {
    const first = layerOf[structure.source[edge]] + 1;
    const last = layerOf[structure.target[edge]];
    return sum + (last > first ? rowsBefore[last] - rowsBefore[first] : 0);
  }, 0);
  return order(build(structure, ranking, isBlock, bends <= MAX_BENDS ? bends : 0));
}

/** Longest path from the sources; then values move down to just above the node that uses them. */
function assignLayers(
  structure: IGraphStructure,
  isVisible: Uint8Array,
  edges: Int32Array
): Int32Array {
  const { count, source, target, kinds } = structure;
  const layerOf = new Int32Array(count);
  const missing = new Int32Array(count);
  const out = adjacency(
    count,
    Int32Array.from(edges, edge => source[edge]),
    Int32Array.from(edges, edge => target[edge])
  );
  edges.forEach(edge => (missing[target[edge]] += 1));
  const sorted: number[] = [];
  for (let id = 0; id < count; id += 1) {
    if (isVisible[id] === 1 && missing[id] === 0) {
      sorted.push(id);
    }
  }
  for (let next = 0; next < sorted.length; next += 1) {
    const id = sorted[next];
    for (let i = out.start[id]; i < out.start[id + 1]; i += 1) {
      const below = out.item[i];
      layerOf[below] = Math.max(layerOf[below], layerOf[id] + 1);
      missing[below] -= 1;
      if (missing[below] === 0) {
        sorted.push(below);
      }
    }
  }
  for (let next = sorted.length - 1; next >= 0; next -= 1) {
    const id = sorted[next];
    const isValue =
      kinds[id] === 'parameter' || kinds[id] === 'electron_list' || kinds[id] === 'electron_dict';
    if (isValue && out.start[id] < out.start[id + 1]) {
      let lowest = Infinity;
      for (let i = out.start[id]; i < out.start[id + 1]; i += 1) {
        lowest = Math.min(lowest, layerOf[out.item[i]]);
      }
      layerOf[id] = Math.max(layerOf[id], lowest - 1);
    }
  }
  return layerOf;
}

function build(
  structure: IGraphStructure,
  ranking: IRanking,
  isBlock: readonly boolean[],
  bendCount: number
): ILayering {
  const nodeCount = structure.count;
  const nodeLayer = ranking.layerOf;
  const { edges } = ranking;
  const itemCount = nodeCount + bendCount;
  const layerOf = new Int32Array(itemCount);
  layerOf.set(nodeLayer);
  const layers = ranking.layers.map(layer => [...layer]);
  const from: number[] = [];
  const to: number[] = [];
  const bends: (number[] | null)[] = [];
  let next = nodeCount;
  for (const edge of edges) {
    const target = structure.target[edge];
    let above = structure.source[edge];
    const passed: number[] = [];
    if (bendCount > 0) {
      for (let layer = nodeLayer[above] + 1; layer < nodeLayer[target]; layer += 1) {
        if (isBlock[layer]) {
          continue;
        }
        layerOf[next] = layer;
        layers[layer].push(next);
        from.push(above);
        to.push(next);
        passed.push(next);
        above = next;
        next += 1;
      }
    }
    from.push(above);
    to.push(target);
    bends.push(passed.length > 0 ? passed : null);
  }
  const upper = Int32Array.from(from);
  const lower = Int32Array.from(to);
  return {
    layers,
    layerOf,
    itemCount,
    nodeCount,
    up: adjacency(itemCount, lower, upper),
    down: adjacency(itemCount, upper, lower),
    edges,
    bends
  };
}

function adjacency(count: number, from: Int32Array, to: Int32Array): IAdjacency {
  const start = new Int32Array(count + 1);
  for (const id of from) {
    start[id + 1] += 1;
  }
  for (let id = 0; id < count; id += 1) {
    start[id + 1] += start[id];
  }
  const fill = start.slice(0, count);
  const item = new Int32Array(from.length);
  for (let i = 0; i < from.length; i += 1) {
    item[fill[from[i]]] = to[i];
    fill[from[i]] += 1;
  }
  return { start, item };
}

/** Barycentre sweeps, down and up in turn. */
function order(layering: ILayering): ILayering {
  const position = new Float64Array(layering.itemCount);
  const { layers } = layering;
  const number = (layer: number[]) =>
    layer.forEach((item, index) => {
      position[item] = layer.length > 1 ? index / (layer.length - 1) : 0.5;
    });
  layers.forEach(number);
  const key = new Float64Array(layering.itemCount);
  const sweep = (layer: number[], side: IAdjacency) => {
    for (const item of layer) {
      const first = side.start[item];
      const last = side.start[item + 1];
      let sum = 0;
      for (let i = first; i < last; i += 1) {
        sum += position[side.item[i]];
      }
      key[item] = last > first ? sum / (last - first) : position[item];
    }
    layer.sort((a, b) => key[a] - key[b] || position[a] - position[b]);
    number(layer);
  };
  for (let round = 0; round < SWEEPS; round += 1) {
    if (round % 2 === 0) {
      for (let layer = 1; layer < layers.length; layer += 1) {
        sweep(layers[layer], layering.up);
      }
    } else {
      for (let layer = layers.length - 2; layer >= 0; layer -= 1) {
        sweep(layers[layer], layering.down);
      }
    }
  }
  return layering;
}
