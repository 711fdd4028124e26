/**
 * The feed of transitions over one WebSocket, shared by all models of a page.
 *
 * Decides when to connect again (exponential back-off with an upper limit) and where to resume (after the newest
 * sequence number seen). When numbers were missed it says so through `reset`, and models reload their snapshot.
 */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { FeedItem } from '../contract';
import { parseFeedFrame } from '../contract';
import { API_PATH } from './request';

/** Whether transitions arrive at the moment. */
export type FeedState = 'idle' | 'connecting' | 'connected' | 'reconnecting';

/** Snapshots older than `seq` must be loaded again; with `isForced` all, because numbers started anew. */
export interface IFeedReset {
  seq: number;
  isForced: boolean;
}

/** The part of a WebSocket that is used. */
export interface ISocket {
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  close(): void;
}

/** Transitions as they are committed. */
export interface IFeed extends IDisposable {
  readonly state: FeedState;
  readonly stateChanged: ISignal<IFeed, FeedState>;
  readonly transitions: ISignal<IFeed, readonly FeedItem[]>;
  readonly reset: ISignal<IFeed, IFeedReset>;
  start(): void;
}

/** What the feed is made with; tests replace the socket and the timer. */
export interface IFeedOptions {
  serverSettings?: ServerConnection.ISettings;
  open?: (after: number | null) => ISocket;
  delay?: (callback: () => void, milliseconds: number) => () => void;
}

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 15_000;

/** The feed of the server that the page came from. */
export class Feed implements IFeed {
  constructor(options: IFeedOptions = {}) {
    this._open = options.open ?? socketOpener(options.serverSettings);
    this._delay = options.delay ?? delayWithTimer;
  }

  get state(): FeedState {
    return this._state;
  }

  get stateChanged(): ISignal<IFeed, FeedState> {
    return this._stateChanged;
  }

  get transitions(): ISignal<IFeed, readonly FeedItem[]> {
    return this._transitions;
  }

  get reset(): ISignal<IFeed, IFeedReset> {
    return this._reset;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Connects, once; from then on the feed keeps itself connected. */
  start(): void {
    if (this._state === 'idle' && !this._isDisposed) {
      this._connect();
    }
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._cancelDelay?.();
    this._drop();
    Signal.clearData(this);
  }

  private _connect(): void {
    this._setState(this._attempts === 0 ? 'connecting' : 'reconnecting');
    const socket = this._open(this._seq);
    this._socket = socket;
    socket.onmessage = event => {
      if (socket === this._socket) {
        this._onFrame(String(event.data));
      }
    };
    socket.onclose = () => {
      if (socket === this._socket) {
        this._onClose();
      }
    };
  }

  private _onFrame(text: string): void {
    const frame = parseFeedFrame(text);
    if (frame === null) {
      console.warn('covalent-lab: ignored a feed frame that cannot be read');
      return;
    }
    switch (frame.type) {
      case 'hello':
        this._onHello(frame.seq);
        return;
      case 'reset':
        this._seq = frame.seq;
        this._reset.emit({ seq: frame.seq, isForced: false });
        return;
      case 'transitions':
        this._onItems(frame.items);
    }
  }

  private _onHello(seq: number): void {
    this._attempts = 0;
    if (this._seq === null || seq < this._seq) {
      const isForced = this._seq !== null;
      this._seq = seq;
      this._setState('connected');
      this._reset.emit({ seq, isForced });
      return;
    }
    this._setState('connected');
  }

  private _onItems(items: readonly FeedItem[]): void {
    const seen = this._seq ?? -1;
    const fresh = items.filter(item => item.seq > seen);
    if (fresh.length > 0) {
      this._seq = fresh[fresh.length - 1].seq;
      this._transitions.emit(fresh);
    }
  }

  private _onClose(): void {
    this._drop();
    this._setState('reconnecting');
    const wait = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** this._attempts);
    this._attempts += 1;
    this._cancelDelay = this._delay(() => this._connect(), wait);
  }

  private _drop(): void {
    const socket = this._socket;
    this._socket = null;
    if (socket !== null) {
      socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private _setState(state: FeedState): void {
    if (state !== this._state) {
      this._state = state;
      this._stateChanged.emit(state);
    }
  }

  private readonly _open: (after: number | null) => ISocket;
  private readonly _delay: (callback: () => void, milliseconds: number) => () => void;
  private readonly _stateChanged = new Signal<this, FeedState>(this);
  private readonly _transitions = new Signal<this, readonly FeedItem[]>(this);
  private readonly _reset = new Signal<this, IFeedReset>(this);
  private _state: FeedState = 'idle';
  private _socket: ISocket | null = null;
  private _seq: number | null = null;
  private _attempts = 0;
  private _cancelDelay: (() => void) | null = null;
  private _isDisposed = false;
}

function socketOpener(
  serverSettings?: ServerConnection.ISettings
): (after: number | null) => ISocket {
  const settings = serverSettings ?? ServerConnection.makeSettings();
  return after => {
    const query: Record<string, string> = {};
    if (after !== null) {
      query.after = String(after);
    }
    if (settings.appendToken && settings.token !== '') {
      query.token = settings.token;
    }
    const url = URLExt.join(settings.wsUrl, API_PATH, 'feed') + URLExt.objectToQueryString(query);
    return new settings.WebSocket(url) as ISocket;
  };
}

function delayWithTimer(callback: () => void, milliseconds: number): () => void {
  const timer = setTimeout(callback, milliseconds);
  return () => clearTimeout(timer);
}
