/** Stand-ins for the server: requests answered from memory, and a feed that tests speak through. */

import { Signal } from '@lumino/signaling';

import type {
  FeedState,
  IFeed,
  IFeedReset,
  IDispatchFilter,
  IListQuery,
  ILogQuery,
  IRestClient
} from '../src/api';
import type {
  CancelResult,
  Comparison,
  ConfigForm,
  DeleteResult,
  Detail,
  DispatchPage,
  FeedItem,
  GraphWire,
  LogPage,
  NodeColumns,
  NodeDetail,
  NotebookPath,
  Overview,
  Preview,
  StatusBody,
  StreamChunk,
  SubmitResult,
  Summary
} from '../src/contract';
import type { IPalette } from '../src/widgets/dagview/palette';
import type { IViewActions } from '../src/widgets/node';

/** A chain of functions, the first of which takes one parameter; the last node is the postprocess node. */
export function chain(length: number): GraphWire {
  const ids = Array.from({ length }, (_, index) => index);
  return graph(
    [
      ...ids.map(id => [`task_${id}`, 'function'] as const),
      [':parameter:5', 'parameter'] as const,
      [':postprocess:', 'postprocess'] as const
    ],
    [
      [length, 0, 'x'],
      ...ids.slice(1).map(id => [id - 1, id, 'x'] as const),
      [length - 1, length + 1, 'retval']
    ]
  );
}

/** One source, `width` functions, one sink. */
export function fan(width: number): GraphWire {
  const ids = Array.from({ length: width }, (_, index) => index + 1);
  return graph(
    [
      ['split', 'function'],
      ...ids.map(id => [`work_${id}`, 'function'] as const),
      ['join', 'function']
    ],
    ids.flatMap(id => [[0, id, 'x'] as const, [id, width + 1, `arg[${id}]`] as const])
  );
}

/** A graph from nodes and edges. */
export function graph(
  nodes: readonly (readonly [string, GraphWire['nodes']['kind'][number]])[],
  edges: readonly (readonly [number, number, string])[]
): GraphWire {
  return {
    version: 1,
    payloads: [],
    functions: [],
    options: [{ executor: 'local', executor_data: {}, hooks: {} }],
    nodes: {
      name: nodes.map(([name]) => name),
      kind: nodes.map(([, kind]) => kind),
      function: nodes.map(() => null),
      value: nodes.map(() => null),
      options: nodes.map(() => 0),
      task_group: nodes.map((_, id) => id)
    },
    edges: {
      source: edges.map(([source]) => source),
      target: edges.map(([, target]) => target),
      name: edges.map(([, , name]) => name),
      param_type: edges.map(([, , name]) => (name === '!waiting_edge' ? 'wait' : 'kwarg')),
      arg_index: edges.map(() => null)
    }
  };
}

/** A dispatch that runs, with changes. */
export function summary(id: string, change: Partial<Summary> = {}): Summary {
  return {
    dispatch_id: id,
    root_dispatch_id: id,
    name: `flow ${id}`,
    status: 'RUNNING',
    total: 3,
    completed: 0,
    failed: 0,
    cancelled: 0,
    created_at: 100,
    started_at: 101,
    ended_at: null,
    error: null,
    ...change
  };
}

/** The same with all that a view shows. */
export function detail(id: string, change: Partial<Detail> = {}): Detail {
  return {
    ...summary(id),
    seq: 0,
    doc: '',
    source: '',
    inputs: null,
    result: null,
    lattice: null,
    executor: 'local',
    executor_data: {},
    workflow_executor: 'local',
    workflow_executor_data: {},
    python_version: '3.11.0',
    lab_version: '0.1.0',
    ...change
  };
}

/** Actions that do nothing, with changes. */
export function viewActions(change: Partial<IViewActions> = {}): IViewActions {
  const nothing = () => undefined;
  return {
    cancel: nothing,
    rerun: nothing,
    rerunWith: nothing,
    loadResult: nothing,
    openOrigin: nothing,
    showList: nothing,
    of: () => viewActions(change),
    cancelNode: nothing,
    loadOutput: nothing,
    debugNode: nothing,
    replaceNode: nothing,
    ...change
  };
}

/** Colours of a canvas. */
export const PALETTE: IPalette = {
  background: '#fff',
  card: '#fff',
  cardMuted: '#eee',
  border: '#bbb',
  borderStrong: '#999',
  text: '#111',
  textMuted: '#666',
  edge: '#999',
  brand: '#17d',
  incoming: '#f70',
  outgoing: '#17d',
  mark: '#fa0',
  onStatus: '#fff',
  font: 'system-ui, "Segoe UI"',
  monospace: 'monospace',
  status: { pending: '#999', completed: '#383', running: '#17d', failed: '#d33' }
};

/** A node that completed and has nothing to show. */
export const NODE: NodeDetail = {
  node_id: 0,
  name: 'task',
  kind: 'function',
  status: 'COMPLETED',
  attempt: 1,
  started_at: 1,
  ended_at: 2,
  error: '',
  executor: 'local',
  executor_data: {},
  hooks: {},
  function_name: 'task',
  source: '',
  doc: '',
  inputs: [],
  output: null,
  stdout: '',
  stderr: '',
  seq: 1
};

/** Columns of nodes that left the beginning. */
export function columns(seq: number, rows: readonly [number, string][] = []): NodeColumns {
  return {
    seq,
    node_id: rows.map(([id]) => id),
    status: rows.map(([, status]) => status) as NodeColumns['status'],
    attempt: rows.map(() => 1),
    started_at: rows.map(() => 101),
    ended_at: rows.map(() => null),
    error: rows.map(() => null),
    output: rows.map(() => null),
    output_size: rows.map(() => null),
    stdout: rows.map(() => false),
    stderr: rows.map(() => false)
  };
}

/** One transition. */
export function item(
  seq: number,
  id: string,
  nodeId: number | null,
  status: FeedItem['status'],
  change: Partial<FeedItem> = {}
): FeedItem {
  return { seq, dispatch_id: id, node_id: nodeId, status, at: 100 + seq, ...change };
}

/** A feed without a socket. */
export class FakeFeed implements IFeed {
  state: FeedState = 'connected';
  isDisposed = false;
  readonly stateChanged: Signal<IFeed, FeedState> = new Signal<IFeed, FeedState>(this);
  readonly transitions: Signal<IFeed, readonly FeedItem[]> = new Signal<IFeed, readonly FeedItem[]>(
    this
  );
  readonly reset: Signal<IFeed, IFeedReset> = new Signal<IFeed, IFeedReset>(this);

  start(): void {
    /* always connected */
  }

  dispose(): void {
    this.isDisposed = true;
  }
}

const STATUS: StatusBody = {
  status: 'running',
  version: '0.1.0',
  dispatches: 0,
  running: 0,
  seq: 0,
  uptime_s: 1,
  pid: 1,
  store: 'memory'
};

/** Answers from memory; a test changes the fields. */
export class FakeRest implements IRestClient {
  page: DispatchPage = { items: [], total: 0, counts: {}, seq: 0 };
  parts: DispatchPage = { items: [], total: 0, counts: {}, seq: 0 };
  figures: Overview = { total: 0, counts: {}, latest: null, runtime_s: 0, seq: 0 };
  readonly removed: IDispatchFilter[] = [];
  form: ConfigForm = { path: 'covalent.conf', fields: [] };
  readonly saved: Readonly<Record<string, unknown>>[] = [];
  log: LogPage = { items: [], total: 0, path: 'dispatcher.log' };
  readonly logQueries: ILogQuery[] = [];
  details = new Map<string, Detail>();
  wire: GraphWire = chain(3);
  /** Graphs of dispatches that have one of their own. */
  readonly wires = new Map<string, GraphWire>();
  nodeColumns = columns(0);
  streams: StreamChunk[] = [];
  nodeDetail: NodeDetail | null = null;
  comparison: Comparison | null = null;
  readonly queries: IListQuery[] = [];
  readonly offsets: number[] = [];
  /** Runs before the nodes of a snapshot are answered. */
  beforeNodes: () => void = () => undefined;
  error: Error | null = null;

  async status(): Promise<StatusBody> {
    return { ...STATUS, results_dir: '/results' };
  }

  async list(query: IListQuery): Promise<DispatchPage> {
    this.queries.push(query);
    if (this.error !== null) {
      throw this.error;
    }
    const items = this.page.items.slice(query.offset, query.offset + query.count);
    return { ...this.page, items };
  }

  async sublattices(id: string, query: IListQuery): Promise<DispatchPage> {
    this.queries.push(query);
    if (this.error !== null) {
      throw this.error;
    }
    return this.parts;
  }

  async overview(): Promise<Overview> {
    return this.figures;
  }

  async removeMatching(filter: IDispatchFilter): Promise<DeleteResult> {
    this.removed.push(filter);
    return { deleted: this.page.items.map(row => row.dispatch_id), missing: [], active: [] };
  }

  async config(): Promise<ConfigForm> {
    if (this.error !== null) {
      throw this.error;
    }
    return this.form;
  }

  async saveConfig(values: Readonly<Record<string, unknown>>): Promise<ConfigForm> {
    if (this.error !== null) {
      throw this.error;
    }
    this.saved.push(values);
    return this.form;
  }

  async logs(query: ILogQuery): Promise<LogPage> {
    this.logQueries.push(query);
    if (this.error !== null) {
      throw this.error;
    }
    return this.log;
  }

  async logFile(): Promise<Blob> {
    return new Blob(['the log']);
  }

  async quickstart(): Promise<NotebookPath> {
    return { path: 'quickstart.ipynb' };
  }

  async detail(id: string): Promise<Detail> {
    const found = this.details.get(id);
    if (found === undefined) {
      throw new Error(`There is no dispatch ${id}.`);
    }
    return found;
  }

  async graph(id: string): Promise<GraphWire> {
    return this.wires.get(id) ?? this.wire;
  }

  async nodes(): Promise<NodeColumns> {
    this.beforeNodes();
    return this.nodeColumns;
  }

  async node(): Promise<NodeDetail> {
    if (this.nodeDetail === null) {
      throw new Error('There is no such node.');
    }
    return this.nodeDetail;
  }

  async stream(_: string, __: number, ___: string, offset: number): Promise<StreamChunk> {
    this.offsets.push(offset);
    return this.streams.shift() ?? { text: '', offset, done: false };
  }

  async preview(): Promise<Preview> {
    throw new Error('not asked for');
  }

  async payload(): Promise<Blob> {
    return new Blob([]);
  }

  async compare(): Promise<Comparison> {
    if (this.comparison === null) {
      throw new Error('There is no such dispatch.');
    }
    return this.comparison;
  }

  async exported(id: string, format: string): Promise<Blob> {
    return new Blob([`${format} of ${id}`]);
  }

  async cancel(id: string): Promise<CancelResult> {
    return { message: `Dispatch ${id} cancelled.` };
  }

  async redispatch(id: string, reusesResults: boolean): Promise<SubmitResult> {
    return { dispatch_id: `${id}-${reusesResults ? 'rest' : 'again'}` };
  }

  async remove(ids: readonly string[]): Promise<DeleteResult> {
    return { deleted: [...ids], missing: [], active: [] };
  }
}

/** A small random graph, the same for the same seed. */
export function randomGraph(count: number, seed: number): GraphWire {
  let state = seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  const edges: [number, number, string][] = [];
  for (let id = 1; id < count; id += 1) {
    const inputs = 1 + Math.floor(random() * 3);
    for (let i = 0; i < inputs; i += 1) {
      edges.push([Math.floor(random() * id), id, 'x']);
    }
  }
  return graph(
    Array.from({ length: count }, (_, id) => [`n${id}`, 'function'] as const),
    edges
  );
}
