/**
 * Graphs inside of graphs: a sublattice that is unfolded is a frame around the nodes of its own dispatch.
 *
 * Theory: each graph is arranged by itself, the innermost first; a frame is then a large node of the graph around it.
 * What is painted is one graph: the nodes of all, numbered one graph after the other in the order of `levelsOf`. Edges
 * end at frames, as they did at the node.
 */

import { arrangeGraph } from './arrange';
import type { ILayout, ILayoutOptions } from './layout';
import type { IExtent } from './sizes';
import { CARD_WIDTH } from './sizes';
import type { IGraphStructure } from './structure';

/** A graph, and those inside of its nodes. */
export interface INestedGraph {
  readonly structure: IGraphStructure;
  /** Whether its values may be shown: there may be too many of them. */
  readonly showsParameters: boolean;
  /** By node: what is unfolded there. */
  readonly parts: ReadonlyMap<number, INestedGraph>;
}

/** Where one of the graphs is among all nodes. */
export interface ILevel {
  readonly graph: INestedGraph;
  /** The number of its first node. */
  readonly first: number;
  /** The number of the node that is its frame; -1 for the outermost. */
  readonly frame: number;
}

/** The room in a frame around the nodes, and above them for the name. */
export const FRAME_PADDING = 18;
export const FRAME_HEAD = 38;

/** All graphs, each before those inside of it. */
export function levelsOf(graph: INestedGraph): ILevel[] {
  const levels: ILevel[] = [];
  let next = 0;
  const add = (part: INestedGraph, frame: number) => {
    const first = next;
    levels.push({ graph: part, first, frame });
    next += part.structure.count;
    partsOf(part).forEach(([id, inner]) => add(inner, first + id));
  };
  add(graph, -1);
  return levels;
}

/** All nodes and edges as one graph. */
export function flattened(levels: readonly ILevel[]): IGraphStructure {
  const structures = levels.map(({ graph }) => graph.structure);
  if (structures.length === 1) {
    return structures[0];
  }
  const moved = (key: 'source' | 'target') =>
    Int32Array.from(
      levels.flatMap(({ graph, first }) => [...graph.structure[key]].map(id => first + id))
    );
  return {
    count: structures.reduce((sum, { count }) => sum + count, 0),
    names: structures.flatMap(({ names }) => names),
    labels: structures.flatMap(({ labels }) => labels),
    kinds: structures.flatMap(({ kinds }) => kinds),
    executors: structures.flatMap(({ executors }) => executors),
    source: moved('source'),
    target: moved('target'),
    edgeLabels: structures.flatMap(({ edgeLabels }) => edgeLabels),
    isWait: Uint8Array.from(structures.flatMap(({ isWait }) => [...isWait])),
    parameterCount: structures.reduce((sum, { parameterCount }) => sum + parameterCount, 0)
  };
}

/** Positions of the nodes of all graphs. */
export function arrangeNested(graph: INestedGraph, options: ILayoutOptions): ILayout {
  const own = { ...options, showParameters: options.showParameters && graph.showsParameters };
  if (graph.parts.size === 0) {
    return arrangeGraph(graph.structure, own);
  }
  const inner = partsOf(graph).map(([id, part]) => ({
    id,
    part,
    layout: arrangeNested(part, options)
  }));
  const frames = new Map(inner.map(({ id, layout }) => [id, frameOf(layout)]));
  const outer = arrangeGraph(graph.structure, { ...own, frames });
  return joined(outer, graph.structure, inner);
}

interface IInner {
  readonly id: number;
  readonly part: INestedGraph;
  readonly layout: ILayout;
}

function partsOf(graph: INestedGraph): [number, INestedGraph][] {
  return [...graph.parts].sort(([a], [b]) => a - b);
}

function frameOf({ width, height }: ILayout): IExtent {
  return {
    width: Math.max(CARD_WIDTH, width) + 2 * FRAME_PADDING,
    height: height + FRAME_HEAD + FRAME_PADDING
  };
}

/** Puts layouts into their frames; in reading order the nodes of a frame follow it. */
function joined(outer: ILayout, structure: IGraphStructure, inner: readonly IInner[]): ILayout {
  const x = [outer.x];
  const y = [outer.y];
  const nodeWidth = [outer.nodeWidth];
  const nodeHeight = [outer.nodeHeight];
  const edges = [outer.edges];
  const points = [outer.points];
  const joints = [outer.joints];
  const pointStart = [outer.pointStart];
  const nodesIn = new Map<number, Int32Array>();
  let [count, edgeCount, pointCount] = [
    structure.count,
    structure.source.length,
    outer.points.length / 2
  ];
  for (const { id, part, layout } of inner) {
    const left = outer.x[id] - layout.width / 2;
    const top = outer.y[id] - outer.nodeHeight[id] / 2 + FRAME_HEAD;
    const [first, firstEdge, firstPoint] = [count, edgeCount, pointCount];
    x.push(layout.x.map(value => value + left));
    y.push(layout.y.map(value => value + top));
    nodeWidth.push(layout.nodeWidth);
    nodeHeight.push(layout.nodeHeight);
    edges.push(layout.edges.map(edge => edge + firstEdge));
    points.push(layout.points.map((value, index) => value + (index % 2 === 0 ? left : top)));
    joints.push(layout.joints);
    pointStart.push(layout.pointStart.slice(1).map(start => start + firstPoint));
    nodesIn.set(
      id,
      layout.nodes.map(node => node + first)
    );
    const levels = levelsOf(part);
    count += layout.x.length;
    edgeCount += levels.reduce((sum, { graph }) => sum + graph.structure.source.length, 0);
    pointCount += layout.points.length / 2;
  }
  return {
    ...outer,
    x: floats(x),
    y: floats(y),
    nodeWidth: floats(nodeWidth),
    nodeHeight: floats(nodeHeight),
    nodes: Int32Array.from([...outer.nodes].flatMap(id => [id, ...(nodesIn.get(id) ?? [])])),
    edges: Int32Array.from(edges.flatMap(part => [...part])),
    points: floats(points),
    pointStart: Int32Array.from(pointStart.flatMap(part => [...part])),
    joints: Uint8Array.from(joints.flatMap(part => [...part])),
    dependsOnRoom: outer.dependsOnRoom || inner.some(({ layout }) => layout.dependsOnRoom)
  };
}

function floats(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
