/** The list of dispatches: the loaded pages, kept current by the feed. Knows no widgets. */

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { FeedState, IFeed, IDispatchFilter, IListQuery, IRestClient, SortKey } from '../api';
import type { DispatchStatus, FeedItem, Summary } from '../contract';
import { messageOf } from './reason';
import type { IListState } from './reduce';
import { reduceList } from './reduce';

/** The tabs above the list. */
export const TABS = ['all', 'running', 'completed', 'failed', 'cancelled', 'pending'] as const;
export type Tab = (typeof TABS)[number];

/** What is listed, and in which order. */
export interface IListView {
  readonly tab: Tab;
  readonly search: string;
  readonly sort: SortKey;
  readonly direction: 'asc' | 'desc';
}

const STATUSES: Readonly<Record<Tab, readonly DispatchStatus[]>> = {
  all: [],
  running: ['STARTING', 'RUNNING'],
  completed: ['COMPLETED'],
  failed: ['FAILED'],
  cancelled: ['CANCELLED'],
  pending: ['NEW_OBJECT']
};

const EMPTY: IListState = { seq: -1, items: [], total: 0, counts: {}, parts: new Set() };
const RELOAD_DELAY_MS = 400;

/** Holds the list's state; emits `changed` after each change. */
export class DispatchesModel implements IDisposable {
  /** With `isPaged` it holds one page at a time; without, `loadMore` adds to what is there. */
  constructor(options: { rest: IRestClient; feed: IFeed; pageSize?: number; isPaged?: boolean }) {
    this._rest = options.rest;
    this._feed = options.feed;
    this._pageSize = options.pageSize ?? 50;
    this._isPaged = options.isPaged ?? false;
    this._feed.transitions.connect(this._onTransitions, this);
    this._feed.stateChanged.connect(this._onFeedState, this);
    this._feed.reset.connect(this._onReset, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get items(): readonly Summary[] {
    return this._state.items;
  }

  /** How many dispatches the present filter has, loaded or not. */
  get total(): number {
    return this._state.total;
  }

  /** Number of the page that is held, from 0 on. */
  get page(): number {
    return this._page;
  }

  get pages(): number {
    return Math.max(1, Math.ceil(this.total / this._pageSize));
  }

  /** What the server is asked for. */
  get filter(): IDispatchFilter {
    return { search: this._view.search, statuses: STATUSES[this._view.tab] };
  }

  get view(): IListView {
    return this._view;
  }

  /** Whether there may be more dispatches than the view asks for. */
  get hasFilter(): boolean {
    return this._view.tab !== 'all' || this._view.search !== '';
  }

  get feedState(): FeedState {
    return this._feed.state;
  }

  get isLoading(): boolean {
    return this._loading > 0;
  }

  /** Whether an answer of the server has been seen. */
  get isLoaded(): boolean {
    return this._state.seq >= 0;
  }

  /** Why the last request failed; empty if it did not. */
  get error(): string {
    return this._error;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  set pageSize(size: number) {
    if (size > 0 && size !== this._pageSize) {
      this._pageSize = size;
      if (this.isLoaded) {
        void this.refresh();
      }
    }
  }

  /** How many dispatches a tab has. */
  count(tab: Tab): number {
    const { counts } = this._state;
    const names = tab === 'all' ? Object.keys(counts) : STATUSES[tab];
    return names.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
  }

  /** The loaded summary of a dispatch. */
  find(dispatchId: string): Summary | undefined {
    return this._state.items.find(item => item.dispatch_id === dispatchId);
  }

  /** Starts the feed and loads the first page. */
  async start(): Promise<void> {
    this._feed.start();
    await this.refresh();
  }

  /** Changes filter, search or order and loads the first page of the result. */
  async show(view: Partial<IListView>): Promise<void> {
    this._view = { ...this._view, ...view };
    this._changed.emit();
    await this.refresh(true);
  }

  /** Ends search and filter. */
  showAll(): Promise<void> {
    return this.show({ tab: 'all', search: '' });
  }

  /** Loads what is shown again, as many pages as are loaded. */
  async refresh(firstPageOnly = false): Promise<void> {
    if (this._isPaged) {
      await this.showPage(firstPageOnly ? 0 : this._page);
      return;
    }
    const loaded = firstPageOnly ? 0 : this._state.items.length;
    await this._load(0, Math.max(this._pageSize, loaded), []);
  }

  /** Loads the next page. */
  async loadMore(): Promise<void> {
    const { items, total } = this._state;
    if (items.length < total && !this.isLoading) {
      await this._load(items.length, this._pageSize, items);
    }
  }

  /** Loads one page and drops the others; the last one if there are not so many any more. */
  async showPage(page: number): Promise<void> {
    this._page = Math.max(0, page);
    await this._load(this._page * this._pageSize, this._pageSize, []);
    if (this._page >= this.pages) {
      await this.showPage(this.pages - 1);
    }
  }

  /** Asks to cancel a dispatch; its transitions tell when it happened. */
  async cancel(dispatchId: string): Promise<string> {
    return (await this._rest.cancel(dispatchId)).message;
  }

  /** Runs a dispatch again, all of it or what did not complete; returns the id of the new one. */
  async redispatch(dispatchId: string, reusesResults: boolean): Promise<string> {
    return (await this._rest.redispatch(dispatchId, reusesResults)).dispatch_id;
  }

  /** Deletes finished dispatches; returns how many were refused because they run. */
  async remove(dispatchIds: readonly string[]): Promise<number> {
    const result = await this._rest.remove(dispatchIds);
    await this.refresh();
    return result.active.length;
  }

  /** Deletes all finished dispatches of a filter; returns how many, and how many stay because they run. */
  async removeMatching(filter: IDispatchFilter): Promise<{ deleted: number; active: number }> {
    const result = await this._rest.removeMatching(filter);
    await this.refresh();
    return { deleted: result.deleted.length, active: result.active.length };
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearTimeout(this._timer);
    this._feed.transitions.disconnect(this._onTransitions, this);
    this._feed.stateChanged.disconnect(this._onFeedState, this);
    this._feed.reset.disconnect(this._onReset, this);
    Signal.clearData(this);
  }

  private async _load(offset: number, count: number, before: readonly Summary[]): Promise<void> {
    const ticket = ++this._ticket;
    const { tab, ...rest } = this._view;
    const query: IListQuery = { ...rest, status: STATUSES[tab].join(','), offset, count };
    this._loading += 1;
    this._waiting = [];
    this._changed.emit();
    try {
      const page = await this._rest.list(query);
      if (ticket === this._ticket && !this._isDisposed) {
        const known = new Set(before.map(item => item.dispatch_id));
        const fresh = page.items.filter(item => !known.has(item.dispatch_id));
        this._state = { ...page, items: [...before, ...fresh], parts: this._state.parts };
        this._error = '';
        this._apply(this._waiting);
        if (this._resetSeq > page.seq) {
          this._reloadSoon();
        }
      }
    } catch (reason) {
      if (ticket === this._ticket) {
        this._error = messageOf(reason);
      }
    } finally {
      this._loading -= 1;
      if (!this._isDisposed) {
        this._changed.emit();
      }
    }
  }

  private _onTransitions(_: IFeed, items: readonly FeedItem[]): void {
    if (this._loading > 0) {
      this._waiting.push(...items);
    }
    if (this.isLoaded) {
      this._apply(items);
      this._changed.emit();
    }
  }

  private _apply(items: readonly FeedItem[]): void {
    const step = reduceList(this._state, items, {
      statuses: STATUSES[this._view.tab],
      isNewestFirst: this._view.sort === 'created_at' && this._view.direction === 'desc',
      search: this._view.search
    });
    const isMoved = this._isPaged && step.state.total !== this._state.total;
    this._state = isMoved
      ? { ...step.state, items: step.state.items.slice(0, this._pageSize) }
      : step.state;
    if (step.isStale || isMoved) {
      this._reloadSoon();
    }
  }

  private _onReset(_: IFeed, reset: { seq: number; isForced: boolean }): void {
    this._resetSeq = reset.isForced ? -1 : reset.seq;
    if (reset.isForced || (this.isLoaded && this._state.seq < reset.seq) || this._error !== '') {
      this._reloadSoon();
    }
  }

  private _onFeedState(_: IFeed, state: FeedState): void {
    if (state === 'connected' && this._error !== '') {
      this._reloadSoon();
    }
    this._changed.emit();
  }

  private _reloadSoon(): void {
    if (this._timer === undefined) {
      this._timer = setTimeout(() => {
        this._timer = undefined;
        void this.refresh();
      }, RELOAD_DELAY_MS);
    }
  }

  private readonly _rest: IRestClient;
  private readonly _feed: IFeed;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _isPaged: boolean;
  private _pageSize: number;
  private _page = 0;
  private _state: IListState = EMPTY;
  private _view: IListView = { tab: 'all', search: '', sort: 'created_at', direction: 'desc' };
  private _waiting: FeedItem[] = [];
  private _loading = 0;
  private _ticket = 0;
  private _resetSeq = -1;
  private _error = '';
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
