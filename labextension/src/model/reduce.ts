/**
 * What a transition changes: pure functions of (state, items).
 *
 * Rule: a state carries the sequence number it is true for; items up to that number are ignored, so that a snapshot
 * and the feed can overlap. Nothing given is changed; arrays are copied once per batch.
 */

import type { Detail, DispatchStatus, FeedItem, Summary } from '../contract';
import { isDispatchStatus, isTerminal } from '../contract';
import type { IAttempt, INodeStates } from '../graph/states';
import { CANCELLED, COMPLETED, DISPATCHING, FAILED, RUNNING, statusCode } from '../graph/states';

/** One dispatch as shown in its view. */
export interface IDispatchState {
  readonly seq: number;
  readonly detail: Detail;
  readonly nodes: INodeStates;
  readonly isDeleted: boolean;
}

/** The loaded part of the list. */
export interface IListState {
  readonly seq: number;
  readonly items: readonly Summary[];
  readonly total: number;
  readonly counts: Readonly<Record<string, number>>;
  /** Dispatches of which the feed has told that they are parts of others; they are not listed. */
  readonly parts: ReadonlySet<string>;
}

/** The list after a batch; `isStale` says that only the server can tell what belongs on the page now. */
export interface IListStep {
  readonly state: IListState;
  readonly isStale: boolean;
}

/** What decides whether a new dispatch is shown at the top without asking the server. */
export interface IListFilter {
  readonly statuses: readonly string[];
  readonly isNewestFirst: boolean;
  readonly search: string;
}

/** Applies transitions to one dispatch; items of others are ignored. */
export function reduceDispatch(state: IDispatchState, items: readonly FeedItem[]): IDispatchState {
  const own = items.filter(
    item => item.seq > state.seq && item.dispatch_id === state.detail.dispatch_id
  );
  if (own.length === 0) {
    return state;
  }
  let nodes = state.nodes;
  let detail = state.detail;
  let isDeleted = state.isDeleted;
  const earlier = new Map(nodes.earlier);
  if (own.some(item => item.node_id !== null)) {
    nodes = {
      ...nodes,
      status: nodes.status.slice(),
      startedAt: nodes.startedAt.slice(),
      endedAt: nodes.endedAt.slice(),
      parts: partsAfter(nodes.parts, own),
      earlier,
      reused: nodes.reused.slice()
    };
  }
  for (const item of own) {
    if (item.node_id !== null) {
      const before = nodes.status[item.node_id];
      keepAttempt(earlier, nodes, item);
      applyNode(nodes, item);
      detail = count(detail, before, nodes.status[item.node_id]);
    } else if (item.status === 'DELETED') {
      isDeleted = true;
    } else {
      detail = { ...detail, ...dispatchChange(detail, item) };
    }
  }
  return { seq: own[own.length - 1].seq, detail, nodes, isDeleted };
}

/** Applies transitions to the list. */
export function reduceList(
  state: IListState,
  items: readonly FeedItem[],
  filter: IListFilter
): IListStep {
  const byId = new Map(state.items.map((item, index) => [item.dispatch_id, index]));
  const rows: (Summary | null)[] = state.items.slice();
  const added: Summary[] = [];
  const counts: Record<string, number> = { ...state.counts };
  let { seq, total } = state;
  const parts = new Set(state.parts);
  let isStale = false;
  for (const item of items) {
    if (item.seq <= state.seq) {
      continue;
    }
    seq = item.seq;
    const index = byId.get(item.dispatch_id);
    const present = index === undefined ? undefined : rows[index];
    if (index !== undefined && present) {
      const next = reduceSummary(present, item);
      if (item.node_id === null) {
        move(counts, present.status, next?.status ?? null);
        if (next === null || !matches(next, filter)) {
          total = Math.max(0, total - 1);
        }
      }
      rows[index] = next !== null && matches(next, filter) ? next : null;
      continue;
    }
    const inAdded = added.findIndex(row => row.dispatch_id === item.dispatch_id);
    if (inAdded >= 0) {
      const next = reduceSummary(added[inAdded], item);
      if (item.node_id === null) {
        move(counts, added[inAdded].status, next?.status ?? null);
      }
      if (next !== null && matches(next, filter)) {
        added[inAdded] = next;
      } else {
        added.splice(inAdded, 1);
        total = Math.max(0, total - 1);
      }
      continue;
    }
    if (item.node_id !== null || parts.has(item.dispatch_id)) {
      continue;
    }
    if (isPart(item)) {
      parts.add(item.dispatch_id);
      continue;
    }
    const fresh = newSummary(item);
    if (fresh === null) {
      isStale = isStale || item.name === undefined;
    } else if (!filter.isNewestFirst || filter.search !== '') {
      isStale = true;
    } else {
      move(counts, null, fresh.status);
      if (matches(fresh, filter)) {
        added.unshift(fresh);
        total += 1;
      }
    }
  }
  const kept = rows.filter((row): row is Summary => row !== null);
  return { state: { seq, total, counts, parts, items: [...added, ...kept] }, isStale };
}

/** Applies one transition to a summary; null when the dispatch was deleted. */
export function reduceSummary(summary: Summary, item: FeedItem): Summary | null {
  if (item.node_id !== null) {
    switch (item.status) {
      case 'COMPLETED':
        return { ...summary, completed: Math.min(summary.total, summary.completed + 1) };
      case 'FAILED':
        return { ...summary, failed: summary.failed + 1 };
      case 'CANCELLED':
        return { ...summary, cancelled: summary.cancelled + 1 };
      default:
        return summary;
    }
  }
  return item.status === 'DELETED' ? null : { ...summary, ...dispatchChange(summary, item) };
}

function isPart(item: FeedItem): boolean {
  return item.root_dispatch_id !== undefined && item.root_dispatch_id !== item.dispatch_id;
}

/** A root dispatch as its first transition tells it; null if the item is no such beginning. */
function newSummary(item: FeedItem): Summary | null {
  if (item.name === undefined || item.node_id !== null || !isDispatchStatus(item.status)) {
    return null;
  }
  return {
    dispatch_id: item.dispatch_id,
    root_dispatch_id: item.dispatch_id,
    name: item.name,
    status: item.status,
    total: item.total ?? 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    created_at: item.at,
    started_at: null,
    ended_at: null,
    error: null
  };
}

function dispatchChange(
  before: Pick<Summary, 'started_at' | 'ended_at' | 'error' | 'status'>,
  item: FeedItem
): Partial<Pick<Summary, 'status' | 'started_at' | 'ended_at' | 'error'>> {
  if (!isDispatchStatus(item.status)) {
    return {};
  }
  const status: DispatchStatus = item.status;
  if (isTerminal(status)) {
    return { status, ended_at: item.at, error: item.error ?? before.error };
  }
  const hasStarted = status === 'RUNNING' || status === 'STARTING';
  return {
    status,
    ended_at: null,
    started_at: hasStarted ? (before.started_at ?? item.at) : before.started_at
  };
}

/** A node that is queued again leaves an attempt behind; the item tells its start if none did before. */
function keepAttempt(
  earlier: Map<number, readonly IAttempt[]>,
  nodes: INodeStates,
  item: FeedItem
): void {
  const id = item.node_id as number;
  const startedAt = item.started_at ?? nodes.startedAt[id];
  if (item.status === 'STARTING' && (item.attempt ?? 1) > 1 && Number.isFinite(startedAt)) {
    const last = { startedAt, endedAt: item.at, error: item.error ?? '' };
    earlier.set(id, [...(earlier.get(id) ?? []), last]);
  }
}

function applyNode(nodes: INodeStates, item: FeedItem): void {
  const id = item.node_id as number;
  if (id < 0 || id >= nodes.status.length) {
    return;
  }
  const code = statusCode(item.status);
  nodes.status[id] = code;
  if (item.reused_from !== undefined) {
    nodes.reused[id] = 1;
    nodes.startedAt[id] = item.at;
  }
  if (item.started_at !== undefined) {
    nodes.startedAt[id] = item.started_at;
  }
  if (code === RUNNING) {
    nodes.startedAt[id] = item.at;
    nodes.endedAt[id] = NaN;
  } else if (isTerminal(item.status)) {
    nodes.endedAt[id] = item.at;
  } else if (code !== DISPATCHING) {
    nodes.startedAt[id] = NaN;
    nodes.endedAt[id] = NaN;
  }
}

function partsAfter(
  parts: ReadonlyMap<number, string>,
  items: readonly FeedItem[]
): ReadonlyMap<number, string> {
  const added = items.flatMap(({ node_id, sub_dispatch_id }) =>
    node_id !== null && sub_dispatch_id !== undefined ? [[node_id, sub_dispatch_id] as const] : []
  );
  return added.length === 0 ? parts : new Map([...parts, ...added]);
}

function count(detail: Detail, before: number, after: number): Detail {
  if (before === after || before === undefined) {
    return detail;
  }
  const change = (code: number) => (after === code ? 1 : 0) - (before === code ? 1 : 0);
  const [completed, failed, cancelled] = [COMPLETED, FAILED, CANCELLED].map(change);
  if (completed === 0 && failed === 0 && cancelled === 0) {
    return detail;
  }
  return {
    ...detail,
    completed: detail.completed + completed,
    failed: detail.failed + failed,
    cancelled: detail.cancelled + cancelled
  };
}

function matches(summary: Summary, filter: IListFilter): boolean {
  return filter.statuses.length === 0 || filter.statuses.includes(summary.status);
}

function move(counts: Record<string, number>, from: string | null, to: string | null): void {
  if (from === to) {
    return;
  }
  if (from !== null) {
    counts[from] = Math.max(0, (counts[from] ?? 0) - 1);
  }
  if (to !== null) {
    counts[to] = (counts[to] ?? 0) + 1;
  }
}
