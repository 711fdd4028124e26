/* Generated from covalent_lab/schemas/rest.json by `jlpm contract:generate`; do not edit. */
/**
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "NodeStatus".
 */
export type NodeStatus =
  | 'NEW_OBJECT'
  | 'STARTING'
  | 'RUNNING'
  | 'COMPLETED'
  | 'FAILED'
  | 'CANCELLED'
  | 'PENDING_REUSE'
  | 'DISPATCHING';
/**
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "DispatchStatus".
 */
export type DispatchStatus =
  'NEW_OBJECT' | 'STARTING' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED';

/**
 * Bodies of the REST interface under covalent/api/v1/.
 */
export interface RestBodies {
  [k: string]: unknown;
}
/**
 * Every answer of status 4xx or 5xx.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ErrorBody".
 */
export interface ErrorBody {
  error: {
    code: string;
    message: string;
  };
}
/**
 * GET status
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "StatusBody".
 */
export interface StatusBody {
  status: string;
  version: string;
  dispatches: number;
  running: number;
  seq: number;
  uptime_s: number;
  pid: number;
  store: string;
  /**
   * Folder below which clients on the server's machine save results, each in a folder named by its id.
   */
  results_dir?: string;
}
/**
 * What can be said of a value without unpickling it.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "Payload".
 */
export interface Payload {
  /**
   * First 40 hexadecimal digits of the SHA-256 of a payload archive.
   */
  digest: string;
  size: number;
  type: string;
  text: string;
  /**
   * MIME types of which a preview exists.
   */
  rich: string[];
  /**
   * The archive itself, of a small result.
   */
  data?: string;
}
/**
 * GET dispatches/{id}/payloads/{digest}/preview
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "Preview".
 */
export interface Preview {
  /**
   * First 40 hexadecimal digits of the SHA-256 of a payload archive.
   */
  digest: string;
  size: number;
  type: string;
  text: string;
  /**
   * MIME type to base64 (images other than SVG) or text.
   */
  rich: {
    [k: string]: string;
  };
}
/**
 * One dispatch in the list.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "Summary".
 */
export interface Summary {
  dispatch_id: string;
  root_dispatch_id: string;
  name: string;
  status: DispatchStatus;
  total: number;
  completed: number;
  failed: number;
  cancelled: number;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  error: string | null;
  /**
   * The dispatch of which it is one node.
   */
  parent_dispatch_id?: string | null;
  parent_node_id?: number | null;
  /**
   * The dispatch it repeats.
   */
  redispatched_from?: string | null;
}
/**
 * GET dispatches
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "DispatchPage".
 */
export interface DispatchPage {
  items: Summary[];
  total: number;
  counts: {
    [k: string]: number;
  };
  seq: number;
}
/**
 * GET dispatches/overview
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "Overview".
 */
export interface Overview {
  total: number;
  counts: {
    [k: string]: number;
  };
  /**
   * The newest dispatch.
   */
  latest: Summary | null;
  /**
   * Seconds that those which have ended took, added up.
   */
  runtime_s: number;
  seq: number;
}
/**
 * GET dispatches/{id}
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "Detail".
 */
export interface Detail {
  dispatch_id: string;
  root_dispatch_id: string;
  name: string;
  status: DispatchStatus;
  total: number;
  completed: number;
  failed: number;
  cancelled: number;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  error: string | null;
  seq: number;
  doc: string;
  source: string;
  inputs: Payload | null;
  result: Payload | null;
  lattice: Payload | null;
  executor: string;
  executor_data: {
    [k: string]: unknown;
  };
  workflow_executor: string;
  workflow_executor_data: {
    [k: string]: unknown;
  };
  python_version: string;
  lab_version: string;
  /**
   * Where it was dispatched, as far as that is known.
   */
  origin?: {
    /**
     * Path of the notebook below the server's root folder; absolute if it is outside of it.
     */
    notebook: string | null;
    /**
     * Id of the cell that dispatched it.
     */
    cell_id: string | null;
    /**
     * Absolute path of the script.
     */
    script: string | null;
  };
  /**
   * The dispatch of which it is one node.
   */
  parent_dispatch_id?: string | null;
  parent_node_id?: number | null;
  /**
   * The dispatch it repeats.
   */
  redispatched_from?: string | null;
  /**
   * What happens before and after each of its tasks.
   */
  hooks?: {
    [k: string]: unknown;
  };
  /**
   * Electrons that stand in for those of a name: digests of payloads.
   */
  replacements?: {
    [k: string]: string;
  };
}
/**
 * GET dispatches/{id}/nodes: nodes that left NEW_OBJECT, in columns.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "NodeColumns".
 */
export interface NodeColumns {
  seq: number;
  node_id: number[];
  status: NodeStatus[];
  attempt: number[];
  started_at: (number | null)[];
  ended_at: (number | null)[];
  error: (string | null)[];
  output: (string | null)[];
  output_size: (number | null)[];
  stdout: boolean[];
  stderr: boolean[];
  sub_dispatch_id?: (string | null)[];
  reused_from?: (string | null)[];
  cpu_s?: (number | null)[];
  peak_memory?: (number | null)[];
  earlier_attempts?: EarlierAttempt[];
}
/**
 * An attempt at a node that another one followed; started_at is null where it is not known.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "EarlierAttempt".
 */
export interface EarlierAttempt {
  node_id: number;
  attempt: number;
  started_at: number | null;
  ended_at: number;
  error: string;
}
/**
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "NodeInput".
 */
export interface NodeInput {
  name: string;
  param_type: 'arg' | 'kwarg' | 'wait';
  arg_index: number | null;
  source: number;
  source_name: string;
  payload: Payload | null;
}
/**
 * What a task used, measured around it in the process that ran it.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "Usage".
 */
export interface Usage {
  /**
   * CPU seconds, children included.
   */
  cpu_s: number;
  /**
   * Highest resident memory of the process in bytes; its earlier tasks count.
   */
  peak_memory: number;
  /**
   * How much of that the task added.
   */
  memory_growth: number;
  input_bytes: number;
  output_bytes: number;
  host: string;
  pid: number;
}
/**
 * GET dispatches/{id}/nodes/{n}
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "NodeDetail".
 */
export interface NodeDetail {
  node_id: number;
  name: string;
  kind: 'function' | 'parameter' | 'electron_list' | 'electron_dict' | 'sublattice' | 'postprocess';
  status: NodeStatus;
  attempt: number;
  started_at: number | null;
  ended_at: number | null;
  error: string | null;
  executor: string;
  executor_data: {
    [k: string]: unknown;
  };
  hooks: {
    [k: string]: unknown;
  };
  function_name: string | null;
  source: string;
  doc: string;
  inputs: NodeInput[];
  output: Payload | null;
  stdout: string;
  stderr: string;
  seq: number;
  /**
   * The dispatch the node became.
   */
  sub_dispatch_id?: string | null;
  /**
   * dispatch:node whose output it took over instead of running.
   */
  reused_from?: string | null;
  /**
   * None where nothing ran, or its executor does not measure.
   */
  usage?: Usage | null;
}
/**
 * GET dispatches/{id}/nodes/{n}/streams/{stdout|stderr}
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "StreamChunk".
 */
export interface StreamChunk {
  text: string;
  offset: number;
  done: boolean;
}
/**
 * POST dispatches/delete: by id, or all that a filter shows
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "DeleteRequest".
 */
export interface DeleteRequest {
  dispatch_ids?: string[];
  matching?: {
    /**
     * As in the list; empty for all.
     */
    search: string;
    /**
     * Empty for all.
     */
    statuses: DispatchStatus[];
  };
}
/**
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "DeleteResult".
 */
export interface DeleteResult {
  deleted: string[];
  missing: string[];
  active: string[];
}
/**
 * POST dispatches/{id}/redispatches
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "RedispatchRequest".
 */
export interface RedispatchRequest {
  /**
   * Id of the new dispatch; a request with the same id changes nothing. Null for any.
   */
  dispatch_id?: string | null;
  /**
   * Take over what completed instead of running it again; false if left out.
   */
  reuse_previous_results?: boolean;
  /**
   * False records it without starting it; true if left out.
   */
  start?: boolean;
}
/**
 * POST dispatches/{id}/cancel
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "CancelRequest".
 */
export interface CancelRequest {
  task_ids?: number[] | null;
}
/**
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "CancelResult".
 */
export interface CancelResult {
  message: string;
}
/**
 * PUT dispatches/{id}/nodes/{node}/job; what else it holds is for the executor
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "JobNotice".
 */
export interface JobNotice {
  status: 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'READY';
  [k: string]: unknown;
}
/**
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "JobNoticeResult".
 */
export interface JobNoticeResult {
  taken: boolean;
}
/**
 * POST dispatches
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "SubmitResult".
 */
export interface SubmitResult {
  dispatch_id: string;
  detail?: Detail;
}
/**
 * WebSocket submissions
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "SubmissionAnswer".
 */
export interface SubmissionAnswer {
  status: number;
  body: SubmitResult | ErrorBody;
}
/**
 * POST dispatches/{id}/start
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "StartResult".
 */
export interface StartResult {
  dispatch_id: string;
  status: DispatchStatus;
}
/**
 * GET dispatches/{id}/payloads/{digest}?as=path, file-backed payloads only
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "PayloadPath".
 */
export interface PayloadPath {
  path: string;
}
/**
 * A result that equal calls take over.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "CachedResult".
 */
export interface CachedResult {
  key: string;
  name: string;
  dispatch_id: string;
  node_id: number;
  size: number;
  created_at: number;
  used_at: number;
  hits: number;
}
/**
 * GET cached_results.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "CachedResults".
 */
export interface CachedResults {
  items: CachedResult[];
  total: number;
}
/**
 * POST cached_results/purge: which to drop.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "PurgeRequest".
 */
export interface PurgeRequest {
  /**
   * null for all.
   */
  keys?: string[] | null;
  /**
   * Only those not used for so many seconds.
   */
  unused_s?: number | null;
}
/**
 * How many were dropped.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "PurgeResult".
 */
export interface PurgeResult {
  purged: number;
}
/**
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ConfigField".
 */
export interface ConfigField {
  /**
   * With its section.
   */
  name: string;
  section: string;
  type: 'text' | 'integer' | 'number' | 'boolean' | 'json';
  /**
   * null for a secret
   */
  value: string | number | boolean | unknown[] | null;
  /**
   * The only values, if not empty.
   */
  choices: string[];
  is_secret: boolean;
  /**
   * Whether file or environment say something.
   */
  is_set: boolean;
  /**
   * Environment variable that overrides the file at this moment, or empty.
   */
  variable: string;
  is_read_only: boolean;
}
/**
 * GET config
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ConfigForm".
 */
export interface ConfigForm {
  /**
   * Of the file.
   */
  path: string;
  fields: ConfigField[];
}
/**
 * PUT config
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ConfigChange".
 */
export interface ConfigChange {
  /**
   * New values by name; all are written, or none.
   */
  values: {};
}
/**
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "LogEntry".
 */
export interface LogEntry {
  /**
   * Place in the file.
   */
  number: number;
  /**
   * Local time as the file has it.
   */
  time: string;
  level: string;
  logger: string;
  message: string;
}
/**
 * GET logs
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "LogPage".
 */
export interface LogPage {
  items: LogEntry[];
  total: number;
  path: string;
}
/**
 * POST quickstart
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "NotebookPath".
 */
export interface NotebookPath {
  /**
   * Below the server's root folder.
   */
  path: string;
}
/**
 * A value of two dispatches; null where there is none.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ValuePair".
 */
export interface ValuePair {
  is_equal: boolean;
  left: string | null;
  right: string | null;
}
/**
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ComparedDispatch".
 */
export interface ComparedDispatch {
  dispatch_id: string;
  name: string;
  status: DispatchStatus;
  started_at: number | null;
  ended_at: number | null;
  error: string;
}
/**
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ComparedNode".
 */
export interface ComparedNode {
  node_id: number;
  name: string;
  kind: 'function' | 'parameter' | 'electron_list' | 'electron_dict' | 'sublattice' | 'postprocess';
  status: NodeStatus;
  started_at: number | null;
  ended_at: number | null;
  cpu_s: number | null;
  executor: string;
  error: string;
}
/**
 * Two nodes that stand for each other, or one that has no counterpart.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ComparedRow".
 */
export interface ComparedRow {
  left: ComparedNode | null;
  right: ComparedNode | null;
  /**
   * Those that differ.
   */
  inputs: {
    name: string;
    left: string | null;
    right: string | null;
  }[];
  output: ValuePair | null;
  differences: ('missing' | 'status' | 'function' | 'executor' | 'inputs' | 'output' | 'error')[];
}
/**
 * GET dispatches/{id}/comparison/{other}
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "Comparison".
 */
export interface Comparison {
  left: ComparedDispatch;
  right: ComparedDispatch;
  is_same_graph: boolean;
  inputs: ValuePair;
  result: ValuePair;
  rows: ComparedRow[];
  /**
   * Rows that are left out.
   */
  hidden: number;
  /**
   * Rows with differences, shown or not.
   */
  differing: number;
}
/**
 * One value that can be set in the section `executors.NAME` of the configuration file.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ExecutorSetting".
 */
export interface ExecutorSetting {
  name: string;
  kind: 'flag' | 'number' | 'text' | 'list' | 'table' | 'secret' | 'any';
  /**
   * What holds now; of a secret a reference (env:NAME) or a mask.
   */
  value: string | number | boolean | unknown[] | {} | null;
  /**
   * What holds if the file says nothing.
   */
  default: string | number | boolean | unknown[] | {} | null;
  /**
   * Whether the file says something.
   */
  is_set: boolean;
  doc: string;
}
/**
 * An executor.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ExecutorView".
 */
export interface ExecutorView {
  /**
   * Short name.
   */
  name: string;
  /**
   * Empty if its plugin cannot be loaded.
   */
  class_name: string;
  summary: string;
  /**
   * Where the plugin is: a file, or a module and its class.
   */
  origin: string;
  is_default: boolean;
  /**
   * Whether it was needed so far.
   */
  is_started: boolean;
  /**
   * Whether it takes up changed settings once its present tasks have ended.
   */
  is_outdated: boolean;
  /**
   * Why it cannot be used, as far as that is known without asking it; else empty.
   */
  trouble: string;
  /**
   * Tasks that it has and that have not begun.
   */
  queued: number;
  running: number;
  settings: ExecutorSetting[];
}
/**
 * GET executors.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ExecutorList".
 */
export interface ExecutorList {
  items: ExecutorView[];
}
/**
 * PUT executors/{executor}: new values of settings.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ExecutorChange".
 */
export interface ExecutorChange {
  /**
   * By name; null takes one out of the file. A secret is given as env:NAME.
   */
  settings: {};
}
/**
 * GET executors/{executor}/health.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ExecutorHealth".
 */
export interface ExecutorHealth {
  name: string;
  is_usable: boolean;
  summary: string;
  facts: {
    name: string;
    value: string;
  }[];
  links: {
    name: string;
    url: string;
  }[];
  /**
   * How long it took to find out, in seconds.
   */
  took_s: number;
}
/**
 * POST executors/{executor}/test: what came of a test task.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ExecutorTest".
 */
export interface ExecutorTest {
  name: string;
  /**
   * Null if the executor cannot be used, so that nothing was dispatched.
   */
  dispatch_id: string | null;
  status: string | null;
  is_passed: boolean;
  summary: string;
  /**
   * Where the task ran.
   */
  host: string;
  /**
   * Version there.
   */
  python: string;
  /**
   * Path of the interpreter there.
   */
  program: string;
  /**
   * From the dispatch to the task's start, in seconds.
   */
  waited_s: number | null;
  /**
   * How long the task took, in seconds.
   */
  ran_s: number | null;
}
/**
 * A worker of the Dask cluster.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ClusterWorker".
 */
export interface ClusterWorker {
  name: string;
  host: string;
  pid: number;
  threads: number;
  /**
   * In bytes; 0 for none.
   */
  memory_limit: number;
  folder: string;
}
/**
 * GET cluster: the Dask cluster that comes with the server.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ClusterView".
 */
export interface ClusterView {
  is_running: boolean;
  scheduler_address: string;
  dashboard_link: string;
  pid: number | null;
  trouble: string;
  workers: ClusterWorker[];
}
/**
 * POST cluster.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ClusterOrder".
 */
export interface ClusterOrder {
  action: 'start' | 'stop' | 'restart' | 'scale';
  /**
   * For scale: how many.
   */
  workers?: number;
}
/**
 * GET cluster/log.
 *
 * This interface was referenced by `RestBodies`'s JSON-Schema
 * via the `definition` "ClusterLog".
 */
export interface ClusterLog {
  path: string;
  text: string;
}
