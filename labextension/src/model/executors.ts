/** Executors and the Dask cluster: what the server said of them last, and what is asked of it now. Knows no widgets. */

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IExecutorsClient } from '../api';
import type {
  ClusterOrder,
  ClusterView,
  ExecutorHealth,
  ExecutorSetting,
  ExecutorTest,
  ExecutorView
} from '../contract';
import { messageOf } from './reason';

/** What is known of one executor. */
export interface IExecutorState {
  readonly view: ExecutorView;
  readonly health: ExecutorHealth | null;
  readonly test: ExecutorTest | null;
  /** What it is asked at this moment. */
  readonly busy: 'check' | 'test' | 'save' | null;
  /** Why the last request about it failed; empty if it did not. */
  readonly error: string;
}

type Rest = Omit<IExecutorState, 'view'>;

const UNKNOWN: Rest = { health: null, test: null, busy: null, error: '' };
const RELOAD_DELAY_MS = 500;

/** How an executor stands, as far as it is known; each has a word and a sign of its own. */
export type ExecutorTone = 'usable' | 'unusable' | 'working' | 'unknown';

/** The tone of an executor. */
export function toneOf(state: IExecutorState): ExecutorTone {
  if (state.busy === 'check' || state.busy === 'test') {
    return 'working';
  }
  if (state.view.trouble !== '' || state.health?.is_usable === false) {
    return 'unusable';
  }
  return state.health?.is_usable === true || state.view.is_started ? 'usable' : 'unknown';
}

/** A value as it is written in the form. */
export function settingText(setting: ExecutorSetting): string {
  return textOf(setting.value);
}

/** A default as it is written in the form; empty if it says nothing. */
export function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : value === null || value === undefined
      ? ''
      : JSON.stringify(value);
}

/** The value that a text in the form stands for: null is the default. Throws an `Error` for people if it is none. */
export function readSetting(setting: ExecutorSetting, text: string): unknown {
  const { kind } = setting;
  if (kind === 'text' || kind === 'secret') {
    return text === '' ? null : text;
  }
  if (text.trim() === '') {
    return null;
  }
  try {
    return JSON.parse(text);
  } catch {
    if (kind === 'any') {
      return text;
    }
    throw new Error(text);
  }
}

/** Holds their state; emits `changed` after each change. */
export class ExecutorsModel implements IDisposable {
  /** `activity` is emitted when something about tasks changed; it makes a model that is watched load the counts. */
  constructor(options: { client: IExecutorsClient; activity: ISignal<unknown, unknown> }) {
    this._client = options.client;
    this._activity = options.activity;
    this._activity.connect(this._onActivity, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get items(): readonly IExecutorState[] {
    return this._views.map(view => ({ view, ...(this._rest.get(view.name) ?? UNKNOWN) }));
  }

  get isLoaded(): boolean {
    return this._isLoaded;
  }

  /** Why the list could not be loaded; empty if it could. */
  get error(): string {
    return this._error;
  }

  /** The Dask cluster that comes with the server; null until it is known. */
  get cluster(): ClusterView | null {
    return this._cluster;
  }

  /** What the cluster is asked at this moment. */
  get clusterBusy(): ClusterOrder['action'] | null {
    return this._clusterBusy;
  }

  get clusterError(): string {
    return this._clusterError;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Whether somebody looks; only then it follows what happens. */
  set isWatched(isWatched: boolean) {
    if (isWatched && !this._isWatched) {
      void this.refresh();
    }
    this._isWatched = isWatched;
  }

  /** Loads the list and the state of the cluster. */
  async refresh(): Promise<void> {
    try {
      const [list, cluster] = await Promise.all([this._client.list(), this._client.cluster()]);
      const rank = (view: ExecutorView) => Number(!view.is_default);
      this._views = [...list.items].sort((a, b) => rank(a) - rank(b));
      this._cluster = cluster;
      this._error = '';
      this._isLoaded = true;
    } catch (reason) {
      this._error = messageOf(reason);
    }
    this._emit();
  }

  /** Asks an executor how it is. */
  async check(name: string): Promise<void> {
    await this._ask(name, 'check', async () => ({ health: await this._client.health(name) }));
    await this.refresh();
  }

  /** Lets an executor run a test task. */
  async test(name: string): Promise<void> {
    await this._ask(name, 'test', async () => ({ test: await this._client.test(name) }));
    await this.refresh();
  }

  /** Changes settings; whether that worked. What was known of its health holds no longer then. */
  async configure(name: string, settings: Readonly<Record<string, unknown>>): Promise<boolean> {
    await this._ask(name, 'save', async () => {
      const view = await this._client.configure(name, settings);
      this._views = this._views.map(known => (known.name === name ? view : known));
      return { health: null, test: null };
    });
    return this._rest.get(name)?.error === '';
  }

  /** Starts, stops, restarts or scales the cluster. */
  async order(order: ClusterOrder): Promise<void> {
    this._clusterBusy = order.action;
    this._clusterError = '';
    this._emit();
    try {
      this._cluster = await this._client.order(order);
    } catch (reason) {
      this._clusterError = messageOf(reason);
    }
    this._clusterBusy = null;
    this._set('dask', { health: null });
  }

  /** What the cluster wrote last; or why that cannot be read. */
  async clusterLog(): Promise<string> {
    try {
      return (await this._client.clusterLog()).text;
    } catch (reason) {
      return messageOf(reason);
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      clearTimeout(this._timer);
      this._activity.disconnect(this._onActivity, this);
      Signal.clearData(this);
    }
  }

  private async _ask(
    name: string,
    busy: NonNullable<IExecutorState['busy']>,
    request: () => Promise<Partial<Rest>>
  ): Promise<void> {
    this._set(name, { busy, error: '' });
    try {
      const said = await request();
      this._set(name, { ...said, busy: null });
    } catch (reason) {
      this._set(name, { busy: null, error: messageOf(reason) });
    }
  }

  private _set(name: string, change: Partial<Rest>): void {
    this._rest.set(name, { ...(this._rest.get(name) ?? UNKNOWN), ...change });
    this._emit();
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _onActivity(): void {
    if (this._isWatched && this._timer === undefined) {
      this._timer = setTimeout(() => {
        this._timer = undefined;
        void this.refresh();
      }, RELOAD_DELAY_MS);
    }
  }

  private readonly _client: IExecutorsClient;
  private readonly _activity: ISignal<unknown, unknown>;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _rest = new Map<string, Rest>();
  private _views: readonly ExecutorView[] = [];
  private _cluster: ClusterView | null = null;
  private _clusterBusy: ClusterOrder['action'] | null = null;
  private _clusterError = '';
  private _error = '';
  private _isLoaded = false;
  private _isWatched = false;
  private _isDisposed = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
