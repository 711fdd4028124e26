/**
 * The node shown in the panel: its detail, and its logs while it runs.
 *
 * Decides when to ask again: on each transition of the node, and once a second for new text while it runs and is shown.
 */

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { NodeDetail } from '../contract';
import { isTerminal } from '../contract';
import type { DispatchModel } from './dispatch';
import { messageOf } from './reason';

/** Text of one stream; `offset` is where to go on reading. */
interface IStream {
  text: string;
  offset: number;
}

const POLL_MS = 1000;
const TEXT_LIMIT = 400_000;

/** Holds one node of a dispatch. */
export class NodeModel implements IDisposable {
  constructor(options: { dispatch: DispatchModel; nodeId: number }) {
    this._dispatch = options.dispatch;
    this.nodeId = options.nodeId;
    this._dispatch.nodesChanged.connect(this._onNodesChanged, this);
  }

  readonly nodeId: number;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get detail(): NodeDetail | null {
    return this._detail;
  }

  get error(): string {
    return this._error;
  }

  get stdout(): string {
    return this._streams.stdout.text;
  }

  get stderr(): string {
    return this._streams.stderr.text;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** While logs are on the screen of a running node, new text is fetched. */
  set isWatchingLogs(isWatching: boolean) {
    this._isWatching = isWatching;
    this._schedule();
  }

  /** Reads the node again. */
  async load(): Promise<void> {
    const ticket = ++this._ticket;
    try {
      const detail = await this._dispatch.node(this.nodeId);
      if (ticket !== this._ticket || this._isDisposed) {
        return;
      }
      const isNewAttempt = this._detail !== null && detail.attempt !== this._detail.attempt;
      this._detail = detail;
      this._error = '';
      for (const name of ['stdout', 'stderr'] as const) {
        const stream = this._streams[name];
        if (isNewAttempt || detail[name].length >= stream.text.length) {
          this._streams[name] = {
            text: detail[name],
            offset: new TextEncoder().encode(detail[name]).length
          };
        }
      }
      this._schedule();
    } catch (reason) {
      if (ticket === this._ticket && !this._isDisposed) {
        this._error = messageOf(reason);
      }
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearTimeout(this._timer);
    this._dispatch.nodesChanged.disconnect(this._onNodesChanged, this);
    Signal.clearData(this);
  }

  private _onNodesChanged(_: DispatchModel, ids: readonly number[]): void {
    if (ids.includes(this.nodeId)) {
      void this.load();
    }
  }

  private _schedule(): void {
    clearTimeout(this._timer);
    if (this._isWatching && this._detail?.status === 'RUNNING' && !this._isDisposed) {
      this._timer = setTimeout(() => void this._poll(), POLL_MS);
    }
  }

  private async _poll(): Promise<void> {
    const ticket = this._ticket;
    try {
      for (const name of ['stdout', 'stderr'] as const) {
        const stream = this._streams[name];
        const chunk = await this._dispatch.stream(this.nodeId, name, stream.offset);
        if (this._isDisposed || ticket !== this._ticket || stream !== this._streams[name]) {
          return;
        }
        if (chunk.text !== '') {
          const text = (stream.text + chunk.text).slice(-TEXT_LIMIT);
          this._streams[name] = { text, offset: chunk.offset };
          this._changed.emit();
        }
      }
    } catch (reason) {
      console.debug('covalent-lab: logs are not available at the moment', reason);
    }
    if (this._detail !== null && !isTerminal(this._detail.status)) {
      this._schedule();
    }
  }

  private readonly _dispatch: DispatchModel;
  private readonly _changed = new Signal<this, void>(this);
  private _streams: Record<'stdout' | 'stderr', IStream> = {
    stdout: { text: '', offset: 0 },
    stderr: { text: '', offset: 0 }
  };
  private _detail: NodeDetail | null = null;
  private _error = '';
  private _isWatching = false;
  private _ticket = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
