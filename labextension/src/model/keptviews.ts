/** How graphs were seen the last time: what people switched, unfolded and moved, of the dispatches seen most recently. */

/** Where JupyterLab keeps what it restores; a part of its `IStateDB`. */
export interface IKeptState {
  fetch(key: string): Promise<unknown>;
  save(key: string, value: never): Promise<unknown>;
}

const KEY = 'covalent-lab:graph-views';
const LIMIT = 100;

/** Views by dispatch id. */
export class KeptViews {
  /** Without a state nothing outlives the page. */
  constructor(state: IKeptState | null) {
    this._state = state;
    this.ready = this._read();
  }

  /** Resolves once what was kept is known. */
  readonly ready: Promise<void>;

  /** As it was kept, by whatever version: to be checked by whoever uses it. */
  get(dispatchId: string): unknown {
    return this._views.get(dispatchId) ?? null;
  }

  /** Keeps a view in the place of the last one. */
  keep(dispatchId: string, view: object): void {
    this._views.delete(dispatchId);
    this._views.set(dispatchId, view);
    for (const oldest of [...this._views.keys()].slice(0, -LIMIT)) {
      this._views.delete(oldest);
    }
    const value = [...this._views] as unknown as never;
    this._state?.save(KEY, value).catch(reason => {
      console.warn('covalent-lab: how graphs are seen could not be kept', reason);
    });
  }

  private async _read(): Promise<void> {
    try {
      const kept = await this._state?.fetch(KEY);
      const entries = Array.isArray(kept) ? kept.filter(isEntry) : [];
      this._views = new Map([...entries, ...this._views]); // what changed meanwhile is newer
    } catch (reason) {
      console.warn('covalent-lab: how graphs were seen could not be read', reason);
    }
  }

  private readonly _state: IKeptState | null;
  private _views = new Map<string, unknown>();
}

function isEntry(entry: unknown): entry is [string, unknown] {
  return Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string';
}
