/**
 * Equal nodes as one: a fan of a thousand tasks is drawn as a stack with the counts of its states.
 *
 * Nodes are equal if they have the same name, kind and executor, are the same number of steps from the beginning, and
 * lead to and come from the same kinds of nodes. Steps only grow along edges, so joining equal nodes makes no cycle.
 */

import { rankNodes } from './layers';
import type { INodeStates } from './states';
import {
  CANCELLED,
  COMPLETED,
  DISPATCHING,
  FAILED,
  PENDING,
  RUNNING,
  STARTING,
  statusCode
} from './states';
import type { IGraphStructure } from './structure';

/** A graph in which stacks are nodes. */
export interface IStacks {
  readonly structure: IGraphStructure;
  /** By drawn node: the nodes it stands for, in order of their ids; one of them if it is no stack. */
  readonly members: readonly (readonly number[])[];
  /** By node: the drawn node that shows it. */
  readonly drawn: Int32Array;
}

/** From how many equal nodes on they become a stack. */
export const MIN_STACK = 8;
/** How far the neighbourhood is compared. */
const ROUNDS = 2;

/**
 * Joins equal nodes, except the stacks that one of the nodes in `opened` belongs to; null if there is nothing to join.
 */
export function stackGraph(
  structure: IGraphStructure,
  opened: ReadonlySet<number> = new Set()
): IStacks | null {
  const colours = coloursOf(structure);
  const groups = new Map<number, number[]>();
  colours.forEach((colour, id) => {
    const group = groups.get(colour);
    if (group === undefined) {
      groups.set(colour, [id]);
    } else {
      group.push(id);
    }
  });
  const members: number[][] = [];
  for (const group of groups.values()) {
    if (group.length >= MIN_STACK && !group.some(id => opened.has(id))) {
      members.push(group);
    } else {
      members.push(...group.map(id => [id]));
    }
  }
  if (members.length === structure.count) {
    return null;
  }
  members.sort((a, b) => a[0] - b[0]);
  const drawn = new Int32Array(structure.count);
  members.forEach((ids, index) => ids.forEach(id => (drawn[id] = index)));
  return { structure: joined(structure, members, drawn), members, drawn };
}

/** States of the drawn nodes: a stack has that of its member which needs the eye most. */
export function stackStates(stacks: IStacks, states: INodeStates): INodeStates {
  const count = stacks.members.length;
  const result = {
    status: new Uint8Array(count),
    startedAt: new Float64Array(count),
    endedAt: new Float64Array(count),
    parts: new Map<number, string>(),
    earlier: new Map(), // of single nodes only: stacks are not drawn in time
    reused: new Uint8Array(count),
    cpuS: new Float64Array(count),
    peakMemory: new Float64Array(count)
  };
  stacks.members.forEach((ids, index) => {
    result.status[index] = foremost(ids, states);
    result.startedAt[index] = earliest(ids, states.startedAt);
    result.endedAt[index] = latest(ids, states.endedAt);
    result.reused[index] = ids.every(id => states.reused[id] === 1) ? 1 : 0;
    result.cpuS[index] = ids.reduce((sum, id) => sum + states.cpuS[id], 0);
    result.peakMemory[index] = ids.reduce((most, id) => Math.max(most, states.peakMemory[id]), 0);
    const part = ids.length === 1 ? states.parts.get(ids[0]) : undefined;
    if (part !== undefined) {
      result.parts.set(index, part);
    }
  });
  return result;
}

/** How many members have each status code. */
export function countStates(ids: readonly number[], states: INodeStates): Map<number, number> {
  const counts = new Map<number, number>();
  for (const code of BY_NEED) {
    const count = ids.reduce((sum, id) => sum + (states.status[id] === code ? 1 : 0), 0);
    if (count > 0) {
      counts.set(code, count);
    }
  }
  return counts;
}

/** What the eye looks for comes first. */
const BY_NEED = [
  FAILED,
  RUNNING,
  DISPATCHING,
  CANCELLED,
  STARTING,
  statusCode('PENDING_REUSE'),
  PENDING,
  COMPLETED
];

function foremost(ids: readonly number[], states: INodeStates): number {
  if (ids.length === 1) {
    return states.status[ids[0]];
  }
  const counts = countStates(ids, states);
  const [first] = counts.keys();
  const hasBegun = counts.has(COMPLETED) && (first === PENDING || first === STARTING);
  return hasBegun ? RUNNING : first;
}

function earliest(ids: readonly number[], times: Float64Array): number {
  return ids.reduce(
    (found, id) => (times[id] < found || Number.isNaN(found) ? times[id] : found),
    NaN
  );
}

/** NaN as long as one of them has not ended. */
function latest(ids: readonly number[], times: Float64Array): number {
  return ids.reduce((found, id) => Math.max(found, times[id]), -Infinity);
}

/** A number for each node, the same for equal nodes. */
function coloursOf(structure: IGraphStructure): Int32Array {
  const { layerOf, edges } = rankNodes(structure, new Uint8Array(structure.count).fill(1));
  let colours = numbered(structure.count, id => {
    const kind = structure.kinds[id];
    const name = kind === 'parameter' ? '' : structure.names[id];
    return `${kind}\n${name}\n${structure.executors[id]}\n${layerOf[id]}`;
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    const sources = new Array<Set<number> | undefined>(structure.count);
    const targets = new Array<Set<number> | undefined>(structure.count);
    for (const edge of edges) {
      const [source, target] = [structure.source[edge], structure.target[edge]];
      (sources[target] ??= new Set()).add(colours[source]);
      (targets[source] ??= new Set()).add(colours[target]);
    }
    const before = colours;
    const text = (set: Set<number> | undefined) =>
      set === undefined ? '' : [...set].sort((a, b) => a - b).join();
    colours = numbered(
      structure.count,
      id => `${before[id]}|${text(sources[id])}|${text(targets[id])}`
    );
  }
  return colours;
}

function numbered(count: number, keyOf: (id: number) => string): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from({ length: count }, (_, id) => {
    const key = keyOf(id);
    const known = numbers.get(key) ?? numbers.size;
    numbers.set(key, known);
    return known;
  });
}

function joined(
  structure: IGraphStructure,
  members: readonly (readonly number[])[],
  drawn: Int32Array
): IGraphStructure {
  const first = members.map(([id]) => id);
  const edges = new Map<number, { from: number; to: number; label: string; isWait: boolean }>();
  structure.source.forEach((source, edge) => {
    const [from, to] = [drawn[source], drawn[structure.target[edge]]];
    const key = from * members.length + to;
    const known = edges.get(key);
    const isWait = structure.isWait[edge] === 1;
    const label = structure.edgeLabels[edge];
    if (known === undefined) {
      edges.set(key, { from, to, label, isWait });
    } else {
      known.isWait = known.isWait && isWait;
      known.label = known.label === label ? label : '';
    }
  });
  const list = [...edges.values()];
  const kinds = first.map(id => structure.kinds[id]);
  return {
    count: members.length,
    names: first.map(id => structure.names[id]),
    labels: members.map((ids, index) => stackLabel(structure, ids, kinds[index])),
    kinds,
    executors: first.map(id => structure.executors[id]),
    source: Int32Array.from(list, edge => edge.from),
    target: Int32Array.from(list, edge => edge.to),
    edgeLabels: list.map(edge => edge.label),
    isWait: Uint8Array.from(list, edge => (edge.isWait ? 1 : 0)),
    parameterCount: structure.parameterCount
  };
}

function stackLabel(structure: IGraphStructure, ids: readonly number[], kind: string): string {
  if (ids.length === 1) {
    return structure.labels[ids[0]];
  }
  return kind === 'parameter'
    ? `${ids.length} values`
    : `${structure.labels[ids[0]]} ×${ids.length}`;
}
