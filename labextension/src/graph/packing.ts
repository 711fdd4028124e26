/**
 * Packings: as many nodes as possible in the room, edges straight behind them. `rectangles` keeps the order in which
 * nodes run, row after row; `boxes` puts the largest first into the shortest column. Of many widths the one is taken with
 * which the nodes can be drawn largest.
 */

import { DEFAULT_ROOM } from './blocks';
import { rankNodes } from './layers';
import type { ILayout, ILayoutOptions } from './layout';
import { layoutFromPlaces } from './positions';
import type { ISizes } from './sizes';
import { nodeSizes } from './sizes';
import type { IGraphStructure } from './structure';

/** How nodes are packed. */
export type Packing = 'rectangles' | 'boxes';

interface IPlaces {
  readonly width: number;
  readonly height: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
}

const GAP = 18;
const STEPS = 24;
/** No room is so wide that more than this many cards fit into a row, in square roots of their number. */
const WIDEST = 4;

/** Positions of all visible nodes in rows or columns. */
export function packedLayout(
  structure: IGraphStructure,
  options: ILayoutOptions,
  isVisible: Uint8Array,
  packing: Packing
): ILayout {
  const sizes = nodeSizes(structure, isVisible, options.frames);
  const { layers, edges } = rankNodes(structure, isVisible);
  const nodes = layers.flat();
  if (packing === 'boxes') {
    const area = (id: number) => sizes.width[id] * sizes.height[id];
    nodes.sort((a, b) => area(b) - area(a) || a - b);
  }
  const pack = packing === 'rectangles' ? inRows : inColumns;
  const room = options.room ?? DEFAULT_ROOM;
  const widest = nodes.reduce((most, id) => Math.max(most, sizes.width[id]), 1);
  const widths = Math.min(nodes.length, WIDEST * Math.sqrt(nodes.length));
  let best: IPlaces | null = null;
  let scale = -1;
  for (let step = 0; step <= STEPS; step += 1) {
    const limit = (widest + GAP) * Math.max(1, widths) ** (step / STEPS);
    const places = pack(nodes, sizes, limit, structure.count);
    const reached = Math.min(room.width / places.width, room.height / places.height);
    if (reached > scale) {
      [best, scale] = [places, reached];
    }
  }
  const { x, y } = best as IPlaces;
  return layoutFromPlaces(structure, {
    nodes,
    edges,
    x,
    y,
    sizes,
    orientation: options.orientation,
    isStraight: true,
    dependsOnRoom: true
  });
}

function inRows(nodes: readonly number[], sizes: ISizes, limit: number, count: number): IPlaces {
  const x = new Float32Array(count);
  const y = new Float32Array(count);
  let [left, top, thick, width] = [0, 0, 0, 1];
  for (const id of nodes) {
    if (left > 0 && left + sizes.width[id] > limit) {
      top += thick + GAP;
      left = thick = 0;
    }
    x[id] = left + sizes.width[id] / 2;
    y[id] = top + sizes.height[id] / 2;
    left += sizes.width[id] + GAP;
    thick = Math.max(thick, sizes.height[id]);
    width = Math.max(width, left - GAP);
  }
  return { width, height: Math.max(1, top + thick), x, y };
}

function inColumns(nodes: readonly number[], sizes: ISizes, limit: number, count: number): IPlaces {
  const x = new Float32Array(count);
  const y = new Float32Array(count);
  const cell = nodes.reduce((most, id) => Math.max(most, sizes.width[id]), 1);
  const columns = Math.max(1, Math.floor((limit + GAP) / (cell + GAP)));
  const filled = new Float64Array(columns);
  for (const id of nodes) {
    const column = filled.indexOf(Math.min(...filled));
    x[id] = column * (cell + GAP) + cell / 2;
    y[id] = filled[column] + sizes.height[id] / 2;
    filled[column] += sizes.height[id] + GAP;
  }
  const used = Math.min(columns, nodes.length);
  return {
    width: Math.max(1, used * (cell + GAP) - GAP),
    height: Math.max(1, Math.max(...filled) - GAP),
    x,
    y
  };
}
