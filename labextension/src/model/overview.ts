/** All dispatches in figures; asked for again, at most every so often, when a dispatch has changed its status. */

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IFeed, IRestClient } from '../api';
import type { FeedItem, Overview } from '../contract';

const RELOAD_DELAY_MS = 400;

/** Holds the figures; emits `changed` after each change. */
export class OverviewModel implements IDisposable {
  constructor(options: { rest: IRestClient; feed: IFeed }) {
    this._rest = options.rest;
    this._feed = options.feed;
    this._feed.transitions.connect(this._onTransitions, this);
    this._feed.reset.connect(this._reloadSoon, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The figures; null until the server has told them. */
  get overview(): Overview | null {
    return this._overview;
  }

  /** How many dispatches have one of these statuses; none named means all. */
  count(...statuses: string[]): number {
    const { counts = {}, total = 0 } = this._overview ?? {};
    return statuses.length === 0
      ? total
      : statuses.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
  }

  get running(): number {
    return this.count('STARTING', 'RUNNING');
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Asks for the figures now. */
  async load(): Promise<void> {
    try {
      this._overview = await this._rest.overview();
    } catch (reason) {
      console.debug('covalent-lab: the overview is not available at the moment', reason);
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
    this._feed.transitions.disconnect(this._onTransitions, this);
    this._feed.reset.disconnect(this._reloadSoon, this);
    Signal.clearData(this);
  }

  private _onTransitions(_: IFeed, items: readonly FeedItem[]): void {
    if (items.some(item => item.node_id === null)) {
      this._reloadSoon();
    }
  }

  private _reloadSoon(): void {
    this._timer ??= setTimeout(() => {
      this._timer = undefined;
      void this.load();
    }, RELOAD_DELAY_MS);
  }

  private readonly _rest: IRestClient;
  private readonly _feed: IFeed;
  private readonly _changed = new Signal<this, void>(this);
  private _overview: Overview | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
