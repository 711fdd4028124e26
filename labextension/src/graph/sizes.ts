/** How large nodes are drawn, by kind, and how much smaller in the blocks of wide layers. Pure. */

import type { IGraphStructure } from './structure';

/** World units, indexed by node id; 0 for hidden nodes. */
export interface ISizes {
  readonly width: Float32Array;
  readonly height: Float32Array;
}

/** A width and a height in world units. */
export interface IExtent {
  readonly width: number;
  readonly height: number;
}

/** By node: the size of what is drawn in its place. */
export type Frames = ReadonlyMap<number, IExtent>;

/** What shares a size inside a block. */
export type SizeClass = 'card' | 'list' | 'value';

/** In the order in which a block shows them: values come last, next to the layer that uses them. */
export const SIZE_CLASSES: readonly SizeClass[] = ['card', 'list', 'value'];

export const CARD_WIDTH = 200;
const CARD_MAX_WIDTH = 250;
const CARD_CHARACTER = 10.6;
const CARD_FRAME = 62;
export const CARD_HEIGHT = 46;
export const COMPACT_HEIGHT = 34;
export const PILL_HEIGHT = 24;
const LIST_WIDTH = 84;
const LIST_HEIGHT = 30;
const COMPACT_LIST_WIDTH = 66;
const COMPACT_LIST_HEIGHT = 24;
const PILL_CHARACTER = 6.6;
const PILL_MAX_WIDTH = 132;
const COMPACT_CHARACTER = 8.6;
const COMPACT_FRAME = 34;
const COMPACT_MIN_WIDTH = 76;

/** The class of a node. */
export function sizeClass(structure: IGraphStructure, id: number): SizeClass {
  switch (structure.kinds[id]) {
    case 'parameter':
      return 'value';
    case 'electron_list':
    case 'electron_dict':
      return 'list';
    default:
      return 'card';
  }
}

/** Sizes outside of blocks. */
export function nodeSizes(
  structure: IGraphStructure,
  isVisible: Uint8Array,
  frames: Frames = new Map()
): ISizes {
  const width = new Float32Array(structure.count);
  const height = new Float32Array(structure.count);
  for (let id = 0; id < structure.count; id += 1) {
    if (isVisible[id] === 0) {
      continue;
    }
    switch (sizeClass(structure, id)) {
      case 'value':
        width[id] = pillWidth(structure.labels[id]);
        height[id] = PILL_HEIGHT;
        break;
      case 'list':
        width[id] = LIST_WIDTH;
        height[id] = LIST_HEIGHT;
        break;
      default:
        width[id] = cardWidth(structure.labels[id].length);
        height[id] = CARD_HEIGHT;
    }
  }
  frames.forEach((extent, id) => {
    width[id] = extent.width;
    height[id] = extent.height;
  });
  return { width, height };
}

/** The size that all nodes of one class get in a block; compact cards are no wider than the longest label needs. */
export function cellSize(
  structure: IGraphStructure,
  kind: SizeClass,
  ids: readonly number[],
  isCompact: boolean
): { width: number; height: number } {
  switch (kind) {
    case 'list':
      return isCompact
        ? { width: COMPACT_LIST_WIDTH, height: COMPACT_LIST_HEIGHT }
        : { width: LIST_WIDTH, height: LIST_HEIGHT };
    case 'value':
      return {
        width: ids.reduce((most, id) => Math.max(most, pillWidth(structure.labels[id])), 0),
        height: PILL_HEIGHT
      };
    default: {
      const longest = ids.reduce((most, id) => Math.max(most, structure.labels[id].length), 0);
      if (!isCompact) {
        return { width: cardWidth(longest), height: CARD_HEIGHT };
      }
      const wanted = COMPACT_FRAME + longest * COMPACT_CHARACTER;
      return {
        width: Math.max(COMPACT_MIN_WIDTH, Math.min(CARD_WIDTH, wanted)),
        height: COMPACT_HEIGHT
      };
    }
  }
}

function cardWidth(characters: number): number {
  return Math.max(CARD_WIDTH, Math.min(CARD_MAX_WIDTH, CARD_FRAME + characters * CARD_CHARACTER));
}

function pillWidth(label: string): number {
  return Math.max(34, Math.min(PILL_MAX_WIDTH, label.length * PILL_CHARACTER + 22));
}
