/** A page of the dispatcher's log. */

import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { ILogQuery, IRestClient } from '../api';
import type { LogEntry } from '../contract';
import { messageOf } from './reason';

/** What is shown of the log, and in which order. */
export type ILogView = Omit<ILogQuery, 'offset' | 'count'>;

const PAGE_SIZE = 50;

/** Emits `changed` after each change. */
export class LogModel {
  constructor(options: { rest: IRestClient }) {
    this._rest = options.rest;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get view(): ILogView {
    return this._view;
  }

  get items(): readonly LogEntry[] {
    return this._items;
  }

  /** Path of the file on the server's machine. */
  get path(): string {
    return this._path;
  }

  /** How many messages match. */
  get total(): number {
    return this._total;
  }

  /** Number of the page, from 0 on. */
  get page(): number {
    return this._page;
  }

  get pages(): number {
    return Math.max(1, Math.ceil(this._total / PAGE_SIZE));
  }

  /** Whether an answer of the server has been seen. */
  get isLoaded(): boolean {
    return this._path !== '';
  }

  get error(): string {
    return this._error;
  }

  /** Changes search, level or order and loads the first page of the result. */
  show(view: Partial<ILogView>): Promise<void> {
    this._view = { ...this._view, ...view };
    return this.showPage(0);
  }

  /** Loads a page. */
  async showPage(page: number): Promise<void> {
    const ticket = ++this._ticket;
    this._page = page;
    try {
      const query = { ...this._view, offset: page * PAGE_SIZE, count: PAGE_SIZE };
      const found = await this._rest.logs(query);
      if (ticket !== this._ticket) {
        return;
      }
      this._items = found.items;
      this._total = found.total;
      this._path = found.path;
      this._error = '';
    } catch (reason) {
      this._error = messageOf(reason);
    }
    this._changed.emit();
  }

  /** The whole file. */
  file(): Promise<Blob> {
    return this._rest.logFile();
  }

  private readonly _rest: IRestClient;
  private readonly _changed = new Signal<this, void>(this);
  private _view: ILogView = { search: '', level: '', sort: 'time', direction: 'desc' };
  private _items: readonly LogEntry[] = [];
  private _total = 0;
  private _page = 0;
  private _path = '';
  private _error = '';
  private _ticket = 0;
}
