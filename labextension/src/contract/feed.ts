/* Generated from covalent_lab/schemas/feed.json by `jlpm contract:generate`; do not edit. */
/**
 * One text frame of the feed, server to client.
 */
export type FeedFrame = HelloFrame | TransitionsFrame | ResetFrame;

/**
 * First frame: the newest sequence number.
 */
export interface HelloFrame {
  type: 'hello';
  seq: number;
  version: string;
}
/**
 * Committed transitions in ascending order.
 */
export interface TransitionsFrame {
  type: 'transitions';
  items: FeedItem[];
}
/**
 * A status change of a dispatch (node_id null) or node. The first item of a dispatch also has name, total and root_dispatch_id; that of a node which became a dispatch has sub_dispatch_id, that of one which took over a result reused_from; the item of an end, or of the next attempt, has started_at if no item said RUNNING before.
 */
export interface FeedItem {
  seq: number;
  dispatch_id: string;
  node_id: number | null;
  status:
    | 'NEW_OBJECT'
    | 'STARTING'
    | 'RUNNING'
    | 'COMPLETED'
    | 'FAILED'
    | 'CANCELLED'
    | 'PENDING_REUSE'
    | 'DISPATCHING'
    | 'DELETED';
  at: number;
  started_at?: number;
  attempt?: number;
  error?: string;
  name?: string;
  total?: number;
  root_dispatch_id?: string;
  parent_dispatch_id?: string | null;
  sub_dispatch_id?: string;
  reused_from?: string;
}
/**
 * Too far behind: reload by REST, go on from seq.
 */
export interface ResetFrame {
  type: 'reset';
  seq: number;
}
