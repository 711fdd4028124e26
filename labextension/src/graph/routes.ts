/**
 * The points that edges pass. Between plain layers an edge goes through its bends. Edges into and out of a block are
 * led through the gaps between its columns, where they lie on one another, and past blocks on lanes beside them: a fan
 * of hundreds shows as a few calm lines. Computed along and across layers, like the positions.
 */

import { GRID_GAP } from './blocks';
import type { ILayering } from './layers';
import type { IGraphStructure } from './structure';

/** How an edge joins its nodes, as bits: it leaves, or enters, by the side instead of straight on. */
export const LEAVES_BY_SIDE = 1;
export const ENTERS_BY_SIDE = 2;

/** Where a block is: edges meet at its ends and pass it at its flanks. */
export interface IBlockBounds {
  readonly low: number;
  readonly high: number;
  readonly top: number;
  readonly bottom: number;
}

/** Positions and sizes of items, along layers and across them. */
export interface IPositions {
  readonly along: Float32Array;
  readonly across: Float32Array;
  readonly size: Float32Array;
  readonly thickness: Float32Array;
  /** By layer; null for a layer in one row. */
  readonly blocks: readonly (IBlockBounds | null)[];
  /** By node: where the grid that holds it begins and ends; unset outside of blocks. */
  readonly gridTop: Float32Array;
  readonly gridBottom: Float32Array;
}

/** Points of all edges of a layering, `points` as pairs (along, across). */
export interface IRoutes {
  readonly points: number[];
  readonly pointStart: Int32Array;
  readonly joints: Uint8Array;
}

/** Distance of a lane from the cards beside it. */
export const LANE = 5;
const FLANK = 16;
const CORNER = 8;
const APPROACH = 7;
const MAX_DETOURS = 8000;

/** Leads every edge. */
export function routeEdges(
  structure: IGraphStructure,
  layering: ILayering,
  at: IPositions
): IRoutes {
  const { layerOf } = layering;
  const points: number[] = [];
  const pointStart = new Int32Array(layering.edges.length + 1);
  const joints = new Uint8Array(layering.edges.length);
  const blockLayers: number[] = [];
  at.blocks.forEach((block, index) => block !== null && blockLayers.push(index));
  let detours = 0;
  layering.edges.forEach((edge, index) => {
    const source = structure.source[edge];
    const target = structure.target[edge];
    const first = layerOf[source];
    const last = layerOf[target];
    const isForward = last > first;
    const middle = (at.along[source] + at.along[target]) / 2;
    const sourceBlock = isForward ? at.blocks[first] : null;
    const targetBlock = isForward ? at.blocks[last] : null;
    if (sourceBlock !== null) {
      joints[index] |= LEAVES_BY_SIDE;
      leave(points, at, source);
      if (at.gridBottom[source] < sourceBlock.bottom - APPROACH) {
        pass(points, sourceBlock, middle, at.gridBottom[source] + GRID_GAP, sourceBlock.bottom);
      }
    } else {
      points.push(at.along[source], at.across[source] + at.thickness[source] / 2);
    }
    const bends = layering.bends[index] ?? [];
    let next = 0;
    for (const layer of detours < MAX_DETOURS ? blockLayers : []) {
      if (layer > first && layer < last) {
        for (; next < bends.length && layerOf[bends[next]] < layer; next += 1) {
          points.push(at.along[bends[next]], at.across[bends[next]]);
        }
        const block = at.blocks[layer] as IBlockBounds;
        pass(points, block, middle, block.top, block.bottom);
        detours += 1;
      }
    }
    for (; next < bends.length; next += 1) {
      points.push(at.along[bends[next]], at.across[bends[next]]);
    }
    if (targetBlock !== null) {
      if (at.gridTop[target] > targetBlock.top + APPROACH) {
        pass(points, targetBlock, middle, targetBlock.top, at.gridTop[target] - GRID_GAP);
      }
      joints[index] |= ENTERS_BY_SIDE;
      enter(points, at, target);
    } else {
      points.push(at.along[target], at.across[target] - at.thickness[target] / 2);
    }
    pointStart[index + 1] = points.length / 2;
  });
  return { points, pointStart, joints };
}

/** Out at the far flank, down the gap between the columns, out of the grid. */
function leave(points: number[], at: IPositions, id: number): void {
  const side = at.along[id] + at.size[id] / 2;
  const lane = side + LANE;
  points.push(side, at.across[id], lane, at.across[id] + CORNER);
  points.push(lane, at.gridBottom[id] + APPROACH);
}

/** Into the grid by the gap before the column, and in at the near flank. */
function enter(points: number[], at: IPositions, id: number): void {
  const side = at.along[id] - at.size[id] / 2;
  const lane = side - LANE;
  points.push(lane, at.gridTop[id] - APPROACH);
  points.push(lane, at.across[id] - CORNER, side, at.across[id]);
}

/** Down beside a block, on the flank that is nearer to where the edge wants to be. */
function pass(
  points: number[],
  block: IBlockBounds,
  wanted: number,
  top: number,
  bottom: number
): void {
  const isNearLow = wanted - block.low < block.high - wanted;
  const lane = isNearLow ? block.low - FLANK : block.high + FLANK;
  points.push(lane, top - APPROACH, lane, bottom + APPROACH);
}
