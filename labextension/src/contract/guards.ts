/** Guards at the wire: what arrives as JSON is checked here, once, and typed from then on. */

import type { FeedFrame, FeedItem } from './feed';
import type { GraphWire } from './graph';
import type { DispatchStatus, NodeColumns, NodeStatus } from './rest';

/** The content of `application/vnd.covalent.lattice+json`, see `schemas/mime.json`. */
export interface ILatticeBundle {
  version: 1;
  name: string;
  dispatch_id: string | null;
  graph: GraphWire;
  nodes?: NodeColumns;
  is_delivered?: boolean;
  doc?: string;
  source?: string;
}

/** Order gives each status its code in compact arrays. */
export const NODE_STATUSES: readonly NodeStatus[] = [
  'NEW_OBJECT',
  'STARTING',
  'RUNNING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'PENDING_REUSE',
  'DISPATCHING'
];

const TERMINAL: ReadonlySet<string> = new Set(['COMPLETED', 'FAILED', 'CANCELLED']);

/** Whether nothing can follow this status. */
export function isTerminal(status: string): boolean {
  return TERMINAL.has(status);
}

/** Whether a dispatch-level item carries one of the statuses of a dispatch (not the tombstone). */
export function isDispatchStatus(status: string): status is DispatchStatus {
  return (
    status !== 'DELETED' &&
    status !== 'PENDING_REUSE' &&
    status !== 'DISPATCHING' &&
    (NODE_STATUSES as readonly string[]).includes(status)
  );
}

/** Reads one text frame of the feed; null if it is none. */
export function parseFeedFrame(text: string): FeedFrame | null {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(frame)) {
    return null;
  }
  switch (frame.type) {
    case 'hello':
    case 'reset':
      return typeof frame.seq === 'number' ? (frame as unknown as FeedFrame) : null;
    case 'transitions':
      return Array.isArray(frame.items) && frame.items.every(isFeedItem)
        ? (frame as unknown as FeedFrame)
        : null;
    default:
      return null;
  }
}

/** Whether a value has the columns of a graph, all of equal length and in range. */
export function isGraphWire(value: unknown): value is GraphWire {
  if (!isRecord(value) || value.version !== 1 || !isRecord(value.nodes) || !isRecord(value.edges)) {
    return false;
  }
  const { name, kind } = value.nodes;
  const { source, target } = value.edges;
  if (![name, kind, source, target].every(Array.isArray)) {
    return false;
  }
  const count = (name as unknown[]).length;
  const inRange = (id: unknown) =>
    Number.isInteger(id) && (id as number) >= 0 && (id as number) < count;
  return (
    (kind as unknown[]).length === count &&
    (source as unknown[]).length === (target as unknown[]).length &&
    (source as unknown[]).every(inRange) &&
    (target as unknown[]).every(inRange)
  );
}

/** Whether a value is what our MIME type promises. */
export function isLatticeBundle(value: unknown): value is ILatticeBundle {
  return (
    isRecord(value) &&
    (value.dispatch_id === null ||
      value.dispatch_id === undefined ||
      typeof value.dispatch_id === 'string') &&
    isGraphWire(value.graph)
  );
}

function isFeedItem(value: unknown): value is FeedItem {
  return (
    isRecord(value) &&
    typeof value.seq === 'number' &&
    typeof value.dispatch_id === 'string' &&
    typeof value.status === 'string' &&
    (value.node_id === null || typeof value.node_id === 'number')
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
