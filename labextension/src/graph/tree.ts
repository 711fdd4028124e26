/**
 * The tree: every node hangs from the deepest of its sources, so that all edges lead forward; the other edges are drawn
 * across. What has no source begins a tree of its own. Places along a level are Reingold and Tilford's (d3-hierarchy).
 */

import type { HierarchyNode } from 'd3-hierarchy';
import { hierarchy, tree } from 'd3-hierarchy';

import { GAP, LAYER_GAP } from './blocks';
import { rankNodes } from './layers';
import type { ILayout, ILayoutOptions } from './layout';
import { isHorizontal, layoutFromPlaces, mirrored } from './positions';
import { nodeSizes } from './sizes';
import type { IGraphStructure } from './structure';

const ROOT = -1;

/** Positions of all visible nodes as trees side by side. */
export function treeLayout(
  structure: IGraphStructure,
  options: ILayoutOptions,
  isVisible: Uint8Array
): ILayout {
  const isSideways = isHorizontal(options.orientation);
  const sizes = nodeSizes(structure, isVisible, options.frames);
  const { layers, edges } = rankNodes(structure, isVisible);
  const order = layers.flat();
  const { children, depth } = spanningTree(structure, order, edges);
  const [size, thickness] = isSideways ? [sizes.height, sizes.width] : [sizes.width, sizes.height];
  const tops = levelTops(order, depth, thickness);
  const along = new Float32Array(structure.count);
  const across = new Float32Array(structure.count);
  const arranged = tree<number>()
    .nodeSize([1, 1])
    .separation((a, b) => (sizeOf(a, size) + sizeOf(b, size)) / 2 + GAP)(
    hierarchy(ROOT, id => children.get(id))
  );
  arranged.each(node => {
    if (node.data !== ROOT) {
      along[node.data] = node.x;
      across[node.data] = tops[depth[node.data]] + thickness[node.data] / 2;
    }
  });
  const layout = layoutFromPlaces(structure, {
    nodes: order,
    edges,
    x: isSideways ? across : along,
    y: isSideways ? along : across,
    sizes,
    orientation: isSideways ? 'right' : 'down',
    isStraight: false,
    dependsOnRoom: false
  });
  const isBackwards = options.orientation === 'up' || options.orientation === 'left';
  return isBackwards ? mirrored(layout, options.orientation) : layout;
}

function sizeOf(node: HierarchyNode<number>, size: Float32Array): number {
  return node.data === ROOT ? 0 : size[node.data];
}

/** Children by node, and how many steps each node is from its root; `order` has sources before targets. */
function spanningTree(
  structure: IGraphStructure,
  order: readonly number[],
  edges: Int32Array
): { children: Map<number, number[]>; depth: Int32Array } {
  const depth = new Int32Array(structure.count);
  const parent = new Int32Array(structure.count).fill(ROOT);
  const incoming = new Map<number, number[]>();
  for (const edge of edges) {
    append(incoming, structure.target[edge], structure.source[edge]);
  }
  const children = new Map<number, number[]>();
  for (const id of order) {
    for (const source of incoming.get(id) ?? []) {
      if (depth[source] + 1 > depth[id]) {
        depth[id] = depth[source] + 1;
        parent[id] = source;
      }
    }
    append(children, parent[id], id);
  }
  return { children, depth };
}

function levelTops(
  order: readonly number[],
  depth: Int32Array,
  thickness: Float32Array
): Float64Array {
  const thick: number[] = [];
  for (const id of order) {
    thick[depth[id]] = Math.max(thick[depth[id]] ?? 0, thickness[id]);
  }
  const tops = new Float64Array(thick.length);
  for (let level = 1; level < thick.length; level += 1) {
    tops[level] = tops[level - 1] + thick[level - 1] + LAYER_GAP;
  }
  return tops;
}

function append(lists: Map<number, number[]>, key: number, value: number): void {
  const list = lists.get(key);
  if (list === undefined) {
    lists.set(key, [value]);
  } else {
    list.push(value);
  }
}
