/** Requests about executors and the Dask cluster. */

import { ServerConnection } from '@jupyterlab/services';

import type {
  ClusterLog,
  ClusterOrder,
  ClusterView,
  ExecutorHealth,
  ExecutorList,
  ExecutorTest,
  ExecutorView
} from '../contract';
import { requestJson } from './request';

/** Requests a model may make; tests give models a fake of this. */
export interface IExecutorsClient {
  list(): Promise<ExecutorList>;
  health(name: string): Promise<ExecutorHealth>;
  /** Changes settings; null takes one out of the configuration file. */
  configure(name: string, settings: Readonly<Record<string, unknown>>): Promise<ExecutorView>;
  test(name: string): Promise<ExecutorTest>;
  cluster(): Promise<ClusterView>;
  order(order: ClusterOrder): Promise<ClusterView>;
  clusterLog(): Promise<ClusterLog>;
}

/** Requests to the server that the page came from. */
export class ExecutorsClient implements IExecutorsClient {
  constructor(options: { serverSettings?: ServerConnection.ISettings } = {}) {
    this._settings = options.serverSettings ?? ServerConnection.makeSettings();
  }

  list(): Promise<ExecutorList> {
    return this._get('executors');
  }

  health(name: string): Promise<ExecutorHealth> {
    return this._get(`executors/${encodeURIComponent(name)}/health`);
  }

  configure(name: string, settings: Readonly<Record<string, unknown>>): Promise<ExecutorView> {
    return this._send('PUT', `executors/${encodeURIComponent(name)}`, { settings });
  }

  test(name: string): Promise<ExecutorTest> {
    return this._send('POST', `executors/${encodeURIComponent(name)}/test`, {});
  }

  cluster(): Promise<ClusterView> {
    return this._get('cluster');
  }

  order(order: ClusterOrder): Promise<ClusterView> {
    return this._send('POST', 'cluster', order);
  }

  clusterLog(): Promise<ClusterLog> {
    return this._get('cluster/log');
  }

  private _get<T>(path: string): Promise<T> {
    return requestJson(this._settings, path);
  }

  private _send<T>(method: string, path: string, body: unknown): Promise<T> {
    return requestJson(this._settings, path, { method, body: JSON.stringify(body) });
  }

  private readonly _settings: ServerConnection.ISettings;
}
