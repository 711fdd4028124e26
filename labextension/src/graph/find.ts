/** Which nodes somebody looks for. Pure. */

import type { INodeStates } from './states';
import { statusName } from './states';
import type { IGraphStructure } from './structure';

/** What to look for; empty texts do not restrict. */
export interface INodeQuery {
  /** Part of the name or label, or the id as a number. */
  readonly text: string;
  readonly status: string;
  readonly executor: string;
}

export const EVERYTHING: INodeQuery = { text: '', status: '', executor: '' };

/** Whether a query leaves nothing out. */
export function isEverything(query: INodeQuery): boolean {
  return query.text.trim() === '' && query.status === '' && query.executor === '';
}

/** Ids of the nodes that meet all of the query, ascending. Parameters are found by their text only. */
export function findNodes(
  structure: IGraphStructure,
  states: INodeStates | null,
  query: INodeQuery
): number[] {
  const wanted = query.text.trim().toLowerCase();
  const found: number[] = [];
  for (let id = 0; id < structure.count; id += 1) {
    const isParameter = structure.kinds[id] === 'parameter';
    const hasStatus =
      query.status === '' ||
      (!isParameter && states !== null && statusName(states.status[id]) === query.status);
    const hasExecutor =
      query.executor === '' || (!isParameter && structure.executors[id] === query.executor);
    if (hasStatus && hasExecutor && (wanted === '' || hasText(structure, id, wanted))) {
      found.push(id);
    }
  }
  return found;
}

/** The next of the found nodes after one, or before it; from the other end again where there is none. */
export function nextFound(
  found: readonly number[],
  after: number | null,
  direction: 1 | -1
): number | null {
  if (found.length === 0) {
    return null;
  }
  const at = after ?? (direction === 1 ? -1 : Infinity);
  const next =
    direction === 1 ? found.find(id => id > at) : [...found].reverse().find(id => id < at);
  return next ?? (direction === 1 ? found[0] : found[found.length - 1]);
}

/** Names of the executors of a graph's tasks, sorted. */
export function executorsOf(structure: IGraphStructure): string[] {
  const names = new Set<string>();
  structure.executors.forEach((name, id) => {
    if (name !== '' && structure.kinds[id] !== 'parameter') {
      names.add(name);
    }
  });
  return [...names].sort();
}

function hasText(structure: IGraphStructure, id: number, wanted: string): boolean {
  return (
    structure.names[id].toLowerCase().includes(wanted) ||
    structure.labels[id].toLowerCase().includes(wanted) ||
    String(id) === wanted.replace(/^#/, '')
  );
}
