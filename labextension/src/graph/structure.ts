/** The parts of a graph that drawing needs, in compact arrays. Knows neither positions nor statuses. */

import type { GraphWire } from '../contract';

/** What a node stands for. */
export type NodeKind = GraphWire['nodes']['kind'][number];

/** A graph as drawn; node ids are indices. */
export interface IGraphStructure {
  readonly count: number;
  readonly names: readonly string[];
  readonly labels: readonly string[];
  readonly kinds: readonly NodeKind[];
  readonly executors: readonly string[];
  /** One entry per pair of joined nodes; names of parallel edges are put together. */
  readonly source: Int32Array;
  readonly target: Int32Array;
  readonly edgeLabels: readonly string[];
  readonly isWait: Uint8Array;
  /** Parameters are complete from the start; all other nodes count. */
  readonly parameterCount: number;
}

const LABEL_LIMIT = 70;

/** Reads a graph as it comes from the server. */
export function structureFromWire(wire: GraphWire): IGraphStructure {
  const { name, kind, options } = wire.nodes;
  const edges = joinParallelEdges(wire);
  return {
    count: name.length,
    names: name,
    labels: name.map((text, id) => nodeLabel(text, kind[id])),
    kinds: kind,
    executors: name.map((_, id) => wire.options?.[options?.[id] ?? 0]?.executor ?? ''),
    ...edges,
    parameterCount: kind.reduce((sum, value) => sum + (value === 'parameter' ? 1 : 0), 0)
  };
}

/** The text on a node: the name without the prefixes that mark its kind. */
export function nodeLabel(name: string, kind: NodeKind): string {
  const text = readableName(name, kind).replace(/\s+/g, ' ').trim();
  return text.length > LABEL_LIMIT ? `${text.slice(0, LABEL_LIMIT - 1)}…` : text;
}

/** The label in words: no underscores, dots and colons, each word with a capital. */
export function prettyLabel(label: string): string {
  return label
    .replace(/[_:.\s]+/g, ' ')
    .trim()
    .replace(
      /(^|\s)(\p{Ll})/gu,
      (_, before: string, letter: string) => before + letter.toUpperCase()
    );
}

/** The same graph with labels in words; values of parameters stay as they are. */
export function withPrettyLabels(structure: IGraphStructure): IGraphStructure {
  const labels = structure.labels.map((label, id) =>
    structure.kinds[id] === 'parameter' ? label : prettyLabel(label)
  );
  return { ...structure, labels };
}

/** Ids of the nodes that feed a node, and of those it feeds. */
export function neighbours(
  structure: IGraphStructure,
  id: number
): { sources: number[]; targets: number[] } {
  const sources: number[] = [];
  const targets: number[] = [];
  for (let edge = 0; edge < structure.source.length; edge += 1) {
    if (structure.target[edge] === id) {
      sources.push(structure.source[edge]);
    }
    if (structure.source[edge] === id) {
      targets.push(structure.target[edge]);
    }
  }
  return { sources, targets };
}

function readableName(name: string, kind: NodeKind): string {
  switch (kind) {
    case 'parameter':
      return name.replace(/^:parameter:/, '') || 'value';
    case 'electron_list':
      return 'list';
    case 'electron_dict':
      return 'dict';
    case 'postprocess':
      return 'result';
    case 'sublattice':
      return name.replace(/^:sublattice:/, '');
    case 'function':
      return name
        .replace(/^:(?!:)(attribute|subscripted|generated|arg):/, '')
        .replace(/^:(.+)\.__getattr__$/, '$1 attribute')
        .replace(/^:(.+)\.__getitem__$/, '$1 item')
        .replace(/^:(?=\S)/, '');
  }
}

function joinParallelEdges(
  wire: GraphWire
): Pick<IGraphStructure, 'source' | 'target' | 'edgeLabels' | 'isWait'> {
  const { source, target, name, param_type } = wire.edges;
  const count = wire.nodes.name.length;
  const seen = new Map<number, number>();
  const first: number[] = [];
  const labels: string[] = [];
  const waits: number[] = [];
  for (let edge = 0; edge < source.length; edge += 1) {
    const wait = param_type?.[edge] === 'wait';
    const label = wait ? 'waits for' : (name?.[edge] ?? '');
    const key = source[edge] * count + target[edge];
    const known = seen.get(key);
    if (known === undefined) {
      seen.set(key, first.length);
      first.push(edge);
      labels.push(label);
      waits.push(wait ? 1 : 0);
    } else if (!wait) {
      labels[known] = waits[known] === 1 ? label : joinLabel(labels[known], label);
      waits[known] = 0;
    }
  }
  return {
    source: Int32Array.from(first, edge => source[edge]),
    target: Int32Array.from(first, edge => target[edge]),
    edgeLabels: labels,
    isWait: Uint8Array.from(waits)
  };
}

/** `node:3` marks an edge into the result for its bookkeeping; it says nothing beside a real name. */
function joinLabel(present: string, added: string): string {
  return added.startsWith('node:') || present === added ? present : `${present}, ${added}`;
}
