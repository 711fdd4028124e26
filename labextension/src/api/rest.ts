/** The REST interface: the only code that knows its URLs. Decides nothing about what is done with the answers. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type {
  CancelResult,
  Comparison,
  ConfigForm,
  DeleteResult,
  Detail,
  DispatchPage,
  DispatchStatus,
  ExportFormat,
  GraphWire,
  LogPage,
  NodeColumns,
  NodeDetail,
  NotebookPath,
  Overview,
  Preview,
  StatusBody,
  StreamChunk,
  SubmitResult
} from '../contract';
import { isGraphWire } from '../contract';
import { ApiError } from './errors';
import { request, requestJson } from './request';

/** What the list can be sorted by. */
export type SortKey =
  'created_at' | 'started_at' | 'ended_at' | 'id' | 'name' | 'status' | 'runtime' | 'total';

/** Formats that the server writes. */
export type ServerFormat = Exclude<ExportFormat, 'png'>;

/** Which dispatches a list shows. */
export interface IDispatchFilter {
  readonly search: string;
  /** Empty for all. */
  readonly statuses: readonly DispatchStatus[];
}

/** One page of the list of dispatches. */
export interface IListQuery {
  search: string;
  status: string;
  sort: SortKey;
  direction: 'asc' | 'desc';
  offset: number;
  count: number;
}

/** One page of the log. */
export interface ILogQuery {
  search: string;
  level: string;
  sort: 'time' | 'level';
  direction: 'asc' | 'desc';
  offset: number;
  count: number;
}

/** Requests a model may make; tests give models a fake of this. */
export interface IRestClient {
  status(): Promise<StatusBody>;
  list(query: IListQuery): Promise<DispatchPage>;
  /** The dispatches that nodes of one became. */
  sublattices(dispatchId: string, query: IListQuery): Promise<DispatchPage>;
  overview(): Promise<Overview>;
  detail(dispatchId: string): Promise<Detail>;
  graph(dispatchId: string): Promise<GraphWire>;
  nodes(dispatchId: string): Promise<NodeColumns>;
  node(dispatchId: string, nodeId: number): Promise<NodeDetail>;
  stream(
    dispatchId: string,
    nodeId: number,
    name: 'stdout' | 'stderr',
    offset: number
  ): Promise<StreamChunk>;
  preview(dispatchId: string, digest: string): Promise<Preview>;
  payload(dispatchId: string, digest: string): Promise<Blob>;
  /** Two dispatches side by side. */
  compare(left: string, right: string): Promise<Comparison>;
  /** A dispatch as a file. */
  exported(dispatchId: string, format: ServerFormat): Promise<Blob>;
  cancel(dispatchId: string, taskIds?: readonly number[]): Promise<CancelResult>;
  redispatch(dispatchId: string, reusesResults: boolean): Promise<SubmitResult>;
  remove(dispatchIds: readonly string[]): Promise<DeleteResult>;
  /** Deletes all that a list shows, whether it is loaded or not. */
  removeMatching(filter: IDispatchFilter): Promise<DeleteResult>;
  config(): Promise<ConfigForm>;
  /** Writes keys of the configuration file, all or none. */
  saveConfig(values: Readonly<Record<string, unknown>>): Promise<ConfigForm>;
  logs(query: ILogQuery): Promise<LogPage>;
  logFile(): Promise<Blob>;
  /** Puts the first tutorial where the server shows it. */
  quickstart(): Promise<NotebookPath>;
}

/** Requests to the server that the page came from. */
export class RestClient implements IRestClient {
  constructor(options: { serverSettings?: ServerConnection.ISettings } = {}) {
    this._settings = options.serverSettings ?? ServerConnection.makeSettings();
  }

  status(): Promise<StatusBody> {
    return this._json('status');
  }

  list(query: IListQuery): Promise<DispatchPage> {
    return this._json('dispatches' + queryString(query));
  }

  sublattices(dispatchId: string, query: IListQuery): Promise<DispatchPage> {
    return this._json(this._dispatch(dispatchId, 'sublattices') + queryString(query));
  }

  overview(): Promise<Overview> {
    return this._json('dispatches/overview');
  }

  detail(dispatchId: string): Promise<Detail> {
    return this._json(this._dispatch(dispatchId));
  }

  async graph(dispatchId: string): Promise<GraphWire> {
    const graph = await this._json<unknown>(this._dispatch(dispatchId, 'graph'));
    if (!isGraphWire(graph)) {
      throw new ApiError('The server sent a graph this version cannot read.', 'bad_graph', 200);
    }
    return graph;
  }

  nodes(dispatchId: string): Promise<NodeColumns> {
    return this._json(this._dispatch(dispatchId, 'nodes'));
  }

  node(dispatchId: string, nodeId: number): Promise<NodeDetail> {
    return this._json(this._dispatch(dispatchId, 'nodes', String(nodeId)));
  }

  stream(
    dispatchId: string,
    nodeId: number,
    name: 'stdout' | 'stderr',
    offset: number
  ): Promise<StreamChunk> {
    const path = this._dispatch(dispatchId, 'nodes', String(nodeId), 'streams', name);
    return this._json(`${path}?offset=${offset}`);
  }

  preview(dispatchId: string, digest: string): Promise<Preview> {
    return this._json(this._dispatch(dispatchId, 'payloads', digest, 'preview'));
  }

  async payload(dispatchId: string, digest: string): Promise<Blob> {
    const response = await request(this._settings, this._dispatch(dispatchId, 'payloads', digest));
    return response.blob();
  }

  compare(left: string, right: string): Promise<Comparison> {
    return this._json(this._dispatch(left, 'comparison', right));
  }

  async exported(dispatchId: string, format: ServerFormat): Promise<Blob> {
    const response = await request(
      this._settings,
      `${this._dispatch(dispatchId, 'export')}?format=${format}`
    );
    return response.blob();
  }

  cancel(dispatchId: string, taskIds?: readonly number[]): Promise<CancelResult> {
    const body = JSON.stringify({ task_ids: taskIds ?? null });
    return this._json(this._dispatch(dispatchId, 'cancel'), { method: 'POST', body });
  }

  redispatch(dispatchId: string, reusesResults: boolean): Promise<SubmitResult> {
    const body = JSON.stringify({ reuse_previous_results: reusesResults });
    return this._json(this._dispatch(dispatchId, 'redispatches'), { method: 'POST', body });
  }

  remove(dispatchIds: readonly string[]): Promise<DeleteResult> {
    const body = JSON.stringify({ dispatch_ids: dispatchIds });
    return this._json('dispatches/delete', { method: 'POST', body });
  }

  removeMatching(filter: IDispatchFilter): Promise<DeleteResult> {
    const body = JSON.stringify({ matching: filter });
    return this._json('dispatches/delete', { method: 'POST', body });
  }

  config(): Promise<ConfigForm> {
    return this._json('config');
  }

  saveConfig(values: Readonly<Record<string, unknown>>): Promise<ConfigForm> {
    return this._json('config', { method: 'PUT', body: JSON.stringify({ values }) });
  }

  logs(query: ILogQuery): Promise<LogPage> {
    return this._json('logs' + queryString(query));
  }

  async logFile(): Promise<Blob> {
    return (await request(this._settings, 'logs/file')).blob();
  }

  quickstart(): Promise<NotebookPath> {
    return this._json('quickstart', { method: 'POST', body: '{}' });
  }

  private _dispatch(...parts: string[]): string {
    return ['dispatches', ...parts.map(encodeURIComponent)].join('/');
  }

  private _json<T>(path: string, init: RequestInit = {}): Promise<T> {
    return requestJson(this._settings, path, init);
  }

  private readonly _settings: ServerConnection.ISettings;
}

function queryString(query: IListQuery | ILogQuery): string {
  const values = Object.entries(query).map(([key, value]) => [key, String(value)]);
  return URLExt.objectToQueryString(Object.fromEntries(values));
}
