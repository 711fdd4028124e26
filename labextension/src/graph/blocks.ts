/**
 * Which layers become blocks of several rows, and where the nodes of a block stand.
 *
 * Theory: a picture is readable if it can be drawn large in the room there is. One width limits all layers; those that
 * are wider break into rows of equal, smaller cells. Of some forty limits the one is taken with which the whole graph
 * is drawn largest, with compact cells if it takes that to read them. A graph that can be read without any of this is
 * left as it is.
 * Everything is computed along a layer and across layers; who calls decides which of them is the horizontal.
 */

import type { Frames, ISizes, SizeClass } from './sizes';
import { cellSize, SIZE_CLASSES, sizeClass } from './sizes';
import type { IGraphStructure } from './structure';

/** Pixels in which the graph is to be drawn. */
export interface IRoom {
  readonly width: number;
  readonly height: number;
}

/** Equal cells in rows; all nodes of one class in a block. */
export interface IGrid {
  readonly ids: readonly number[];
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
}

/** The grids of a layer, one after the other; null for a layer in one row. */
export type BlockPlan = readonly IGrid[] | null;

/** Distances inside blocks; edges run in the gaps between columns. */
export const COLUMN_GAP = 15;
export const ROW_GAP = 8;
export const GRID_GAP = 40;
export const GAP = 22;
export const LAYER_GAP = 54;
export const DEFAULT_ROOM: IRoom = { width: 960, height: 640 };
/** Layers with fewer nodes stay in one row, whatever their width. */
export const MIN_BLOCK = 6;
/** From this on, graphs stay as they are, and cells of blocks need not be compact. */
const READABLE_SCALE = 0.5;
const WORTHWHILE = 1.25;
const STEPS = 40;

/** The free space after a layer; a row needs room for the lines that spread from it. */
export function gapAfter(nodes: number, isBlock: boolean): number {
  return LAYER_GAP + (isBlock ? 16 : Math.min(90, nodes * 1.2));
}

/** Chooses the blocks for layers of nodes, in whatever order these are. */
export function planBlocks(
  structure: IGraphStructure,
  layers: readonly (readonly number[])[],
  sizes: ISizes,
  isRight: boolean,
  room: IRoom,
  frames: Frames = new Map()
): BlockPlan[] {
  const measureAll = (isCompact: boolean) =>
    layers.map(layer => ({
      ...measure(structure, layer, sizes, isRight, isCompact),
      hasFrame: frames.size > 0 && layer.some(id => frames.has(id))
    }));
  const roomy = measureAll(false);
  const plain = scaleOf(roomy, Infinity, isRight, room);
  if (plain >= READABLE_SCALE) {
    return layers.map(() => null);
  }
  let measured = roomy;
  let best = bestLimit(roomy, isRight, room);
  if (best.scale < READABLE_SCALE) {
    measured = measureAll(true);
    best = bestLimit(measured, isRight, room);
  }
  const isWorthwhile = best.scale >= WORTHWHILE * plain;
  return measured.map(layer =>
    isWorthwhile && isWider(layer, best.limit) ? gridsOf(layer, best.limit, isRight) : null
  );
}

/** The same grids for the final order of a layer; returns the layer as the block shows it. */
export function fillGrids(
  structure: IGraphStructure,
  plan: readonly IGrid[],
  layer: readonly number[]
): { grids: IGrid[]; order: number[] } {
  const ordered = SIZE_CLASSES.map(kind => layer.filter(id => sizeClass(structure, id) === kind));
  const groups = ordered.filter(ids => ids.length > 0);
  return { grids: plan.map((grid, i) => ({ ...grid, ids: groups[i] })), order: groups.flat() };
}

/** How far a grid reaches along its layer and across. */
export function gridExtent(grid: IGrid, isRight: boolean): { length: number; thick: number } {
  const [size, thickness] = isRight ? [grid.height, grid.width] : [grid.width, grid.height];
  return {
    length: grid.columns * (size + COLUMN_GAP) - COLUMN_GAP,
    thick: grid.rows * (thickness + ROW_GAP) - ROW_GAP
  };
}

interface IMeasured {
  readonly count: number;
  readonly length: number;
  readonly thick: number;
  /** The widest cell: no block is narrower. */
  readonly cell: number;
  readonly groups: readonly IGroup[];
  /** Frames are no cells: their layer stays in one row. */
  readonly hasFrame: boolean;
}

interface IGroup {
  readonly kind: SizeClass;
  readonly ids: readonly number[];
  readonly width: number;
  readonly height: number;
}

function bestLimit(
  measured: readonly IMeasured[],
  isRight: boolean,
  room: IRoom
): { limit: number; scale: number } {
  const longest = measured.reduce((most, layer) => Math.max(most, layer.length), 1);
  const shortest = measured.reduce((most, layer) => Math.max(most, layer.cell), 1);
  let best = { limit: Infinity, scale: 0 };
  for (let step = 0; step <= STEPS; step += 1) {
    const limit = shortest * (longest / shortest) ** (step / STEPS);
    const scale = scaleOf(measured, limit, isRight, room);
    if (scale > best.scale) {
      best = { limit, scale };
    }
  }
  return best;
}

/** How large the graph can be drawn if no layer is wider than the limit. */
function scaleOf(
  measured: readonly IMeasured[],
  limit: number,
  isRight: boolean,
  room: IRoom
): number {
  let length = 1;
  let depth = 1;
  for (const layer of measured) {
    const extent = extentOf(layer, limit, isRight);
    length = Math.max(length, extent.length);
    depth += extent.thick + gapAfter(layer.count, extent.isBlock);
  }
  return isRight
    ? Math.min(room.width / depth, room.height / length)
    : Math.min(room.width / length, room.height / depth);
}

function measure(
  structure: IGraphStructure,
  layer: readonly number[],
  sizes: ISizes,
  isRight: boolean,
  isCompact: boolean
): Omit<IMeasured, 'hasFrame'> {
  const [size, thickness] = isRight ? [sizes.height, sizes.width] : [sizes.width, sizes.height];
  let length = -GAP;
  let thick = 0;
  const byClass: Record<SizeClass, number[]> = { card: [], list: [], value: [] };
  for (const id of layer) {
    length += size[id] + GAP;
    thick = Math.max(thick, thickness[id]);
    byClass[sizeClass(structure, id)].push(id);
  }
  const groups = SIZE_CLASSES.filter(kind => byClass[kind].length > 0).map(kind => ({
    kind,
    ids: byClass[kind],
    ...cellSize(structure, kind, byClass[kind], isCompact)
  }));
  const cell = groups.reduce(
    (most, group) => Math.max(most, isRight ? group.height : group.width),
    0
  );
  return { count: layer.length, length, thick, cell, groups };
}

function isWider(layer: IMeasured, limit: number): boolean {
  return layer.count >= MIN_BLOCK && layer.length > limit && !layer.hasFrame;
}

function extentOf(
  layer: IMeasured,
  limit: number,
  isRight: boolean
): { length: number; thick: number; isBlock: boolean } {
  if (!isWider(layer, limit)) {
    return { length: layer.length, thick: layer.thick, isBlock: false };
  }
  let length = 0;
  let thick = -GRID_GAP;
  for (const grid of gridsOf(layer, limit, isRight)) {
    const extent = gridExtent(grid, isRight);
    length = Math.max(length, extent.length);
    thick += extent.thick + GRID_GAP;
  }
  return { length, thick, isBlock: true };
}

function gridsOf(layer: IMeasured, limit: number, isRight: boolean): IGrid[] {
  return layer.groups.map(group => {
    const cell = (isRight ? group.height : group.width) + COLUMN_GAP;
    const fitting = Math.max(1, Math.floor((limit + COLUMN_GAP) / cell));
    const rows = Math.ceil(group.ids.length / fitting);
    const columns = Math.ceil(group.ids.length / rows);
    return { ids: group.ids, width: group.width, height: group.height, columns, rows };
  });
}
