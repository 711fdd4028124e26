/** What changes while a graph runs, in compact arrays indexed by node id. */

import type { NodeColumns, NodeStatus } from '../contract';
import { NODE_STATUSES } from '../contract';
import type { IGraphStructure } from './structure';

/** An attempt that another one followed; POSIX seconds. */
export interface IAttempt {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly error: string;
}

/** Status codes are places in NODE_STATUSES; times are POSIX seconds, NaN if unknown. */
export interface INodeStates {
  readonly status: Uint8Array;
  readonly startedAt: Float64Array;
  readonly endedAt: Float64Array;
  /** The dispatches that nodes became, by node id. */
  readonly parts: ReadonlyMap<number, string>;
  /** Earlier attempts at nodes, by node id, in order; those of which nobody knows the start are left out. */
  readonly earlier: ReadonlyMap<number, readonly IAttempt[]>;
  /** 1 for nodes that took over a result instead of running. */
  readonly reused: Uint8Array;
  /** What ended nodes used, as far as it was measured (else NaN); the feed does not tell it. */
  readonly cpuS: Float64Array;
  readonly peakMemory: Float64Array;
}

export const PENDING = NODE_STATUSES.indexOf('NEW_OBJECT');
export const STARTING = NODE_STATUSES.indexOf('STARTING');
export const RUNNING = NODE_STATUSES.indexOf('RUNNING');
export const DISPATCHING = NODE_STATUSES.indexOf('DISPATCHING');
export const COMPLETED = NODE_STATUSES.indexOf('COMPLETED');
export const FAILED = NODE_STATUSES.indexOf('FAILED');
export const CANCELLED = NODE_STATUSES.indexOf('CANCELLED');

/** The code of a status; unknown ones count as pending. */
export function statusCode(status: string): number {
  return Math.max(0, (NODE_STATUSES as readonly string[]).indexOf(status));
}

/** The status of a code. */
export function statusName(code: number): NodeStatus {
  return NODE_STATUSES[code] ?? 'NEW_OBJECT';
}

/** All nodes pending, parameters complete; then what the columns of a snapshot say. */
export function statesFromColumns(
  structure: IGraphStructure,
  columns: Partial<NodeColumns> | null
): INodeStates {
  const parts = new Map<number, string>();
  const earlier = new Map<number, IAttempt[]>();
  columns?.earlier_attempts?.forEach(({ node_id, started_at, ended_at, error }) => {
    if (started_at !== null) {
      const attempt = { startedAt: started_at, endedAt: ended_at, error };
      earlier.set(node_id, [...(earlier.get(node_id) ?? []), attempt]);
    }
  });
  const states = {
    parts,
    earlier,
    status: Uint8Array.from(structure.kinds, kind => (kind === 'parameter' ? COMPLETED : PENDING)),
    startedAt: new Float64Array(structure.count).fill(NaN),
    endedAt: new Float64Array(structure.count).fill(NaN),
    reused: new Uint8Array(structure.count),
    cpuS: new Float64Array(structure.count).fill(NaN),
    peakMemory: new Float64Array(structure.count).fill(NaN)
  };
  columns?.node_id?.forEach((id, index) => {
    if (id >= 0 && id < structure.count) {
      states.status[id] = statusCode(columns.status?.[index] ?? 'NEW_OBJECT');
      states.startedAt[id] = columns.started_at?.[index] ?? NaN;
      states.endedAt[id] = columns.ended_at?.[index] ?? NaN;
      states.cpuS[id] = columns.cpu_s?.[index] ?? NaN;
      states.peakMemory[id] = columns.peak_memory?.[index] ?? NaN;
      const part = columns.sub_dispatch_id?.[index] ?? null;
      if (part !== null) {
        parts.set(id, part);
      }
      states.reused[id] = (columns.reused_from?.[index] ?? null) === null ? 0 : 1;
    }
  });
  return states;
}

/** States of several graphs as those of one, whose nodes are numbered one graph after the other. */
export function joinedStates(all: readonly INodeStates[]): INodeStates {
  if (all.length === 1) {
    return all[0];
  }
  let first = 0;
  const parts = new Map<number, string>();
  const earlier = new Map<number, readonly IAttempt[]>();
  for (const states of all) {
    states.parts.forEach((part, id) => parts.set(first + id, part));
    states.earlier.forEach((attempts, id) => earlier.set(first + id, attempts));
    first += states.status.length;
  }
  const bytes = (key: 'status' | 'reused') =>
    Uint8Array.from(all.flatMap(states => [...states[key]]));
  const numbers = (key: 'startedAt' | 'endedAt' | 'cpuS' | 'peakMemory') =>
    Float64Array.from(all.flatMap(states => [...states[key]]));
  return {
    parts,
    earlier,
    status: bytes('status'),
    reused: bytes('reused'),
    startedAt: numbers('startedAt'),
    endedAt: numbers('endedAt'),
    cpuS: numbers('cpuS'),
    peakMemory: numbers('peakMemory')
  };
}

/** Whether time goes on for a node: it runs, or the dispatch that it became does. */
export function isGoingOn(code: number): boolean {
  return code === RUNNING || code === DISPATCHING;
}

/** The failed node after this one by id, from the start again at the end; null if there is none. */
export function nextFailed(states: INodeStates, after: number | null): number | null {
  const next = states.status.indexOf(FAILED, (after ?? -1) + 1);
  const found = next >= 0 ? next : states.status.indexOf(FAILED);
  return found >= 0 ? found : null;
}
