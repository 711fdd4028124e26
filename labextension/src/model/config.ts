/** The configuration file: its keys as the server has them, and what was entered and not saved. */

import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IRestClient } from '../api';
import type { ConfigField } from '../contract';
import { messageOf } from './reason';

/** Emits `changed` after each change. */
export class ConfigModel {
  constructor(options: { rest: IRestClient }) {
    this._rest = options.rest;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get path(): string {
    return this._path;
  }

  get fields(): readonly ConfigField[] {
    return this._fields;
  }

  /** Whether something was entered that is not saved. */
  get isDirty(): boolean {
    return this._entered.size > 0;
  }

  /** Why loading or saving failed; empty if it did not. */
  get error(): string {
    return this._error;
  }

  /** What a field shows: what was entered, or its value. */
  valueOf(field: ConfigField): unknown {
    return this._entered.has(field.name) ? this._entered.get(field.name) : field.value;
  }

  /** Keeps a value until it is saved; the one that is there already is none to save. */
  enter(field: ConfigField, value: unknown): void {
    if (value === field.value || (field.is_secret && value === '')) {
      this._entered.delete(field.name);
    } else {
      this._entered.set(field.name, value);
    }
    this._changed.emit();
  }

  load(): Promise<void> {
    return this._take(() => this._rest.config());
  }

  /** Writes what was entered; nothing of it is lost if that fails. */
  save(): Promise<void> {
    return this._take(async () => {
      const form = await this._rest.saveConfig(Object.fromEntries(this._entered));
      this._entered.clear();
      return form;
    });
  }

  /** Forgets what was entered. */
  revert(): void {
    this._entered.clear();
    this._error = '';
    this._changed.emit();
  }

  private async _take(ask: () => ReturnType<IRestClient['config']>): Promise<void> {
    try {
      const { path, fields } = await ask();
      this._path = path;
      this._fields = fields;
      this._error = '';
    } catch (reason) {
      this._error = messageOf(reason);
    }
    this._changed.emit();
  }

  private readonly _rest: IRestClient;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _entered = new Map<string, unknown>();
  private _path = '';
  private _fields: readonly ConfigField[] = [];
  private _error = '';
}
