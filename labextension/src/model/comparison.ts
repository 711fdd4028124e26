/** Two dispatches side by side, as the server compares them; loaded again on demand, as they may still run. */

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IRestClient } from '../api';
import type { Comparison } from '../contract';
import { messageOf } from './reason';

/** Holds one comparison. */
export class ComparisonModel implements IDisposable {
  constructor(options: { rest: IRestClient; left: string; right: string }) {
    this._rest = options.rest;
    this.left = options.left;
    this.right = options.right;
  }

  readonly left: string;
  readonly right: string;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What the server found; null before the first answer. */
  get found(): Comparison | null {
    return this._found;
  }

  get error(): string {
    return this._error;
  }

  get isLoading(): boolean {
    return this._isLoading;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Asks the server; an answer that was overtaken by a later question is dropped. */
  async load(): Promise<void> {
    const ticket = ++this._ticket;
    this._isLoading = true;
    this._changed.emit();
    let found = this._found;
    let error = '';
    try {
      found = await this._rest.compare(this.left, this.right);
    } catch (reason) {
      error = messageOf(reason);
    }
    if (ticket === this._ticket && !this._isDisposed) {
      this._found = found;
      this._error = error;
      this._isLoading = false;
      this._changed.emit();
    }
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private readonly _rest: IRestClient;
  private readonly _changed = new Signal<this, void>(this);
  private _found: Comparison | null = null;
  private _error = '';
  private _isLoading = false;
  private _isDisposed = false;
  private _ticket = 0;
}
