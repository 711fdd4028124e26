/**
 * The dispatches that are shown inside of another one's graph: loaded when their sublattice is unfolded, kept current by
 * the feed, let go when it is folded. Decides nothing about how they look.
 */

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { DispatchChange, DispatchModel } from './dispatch';

/** Paths are ids of nodes, from the outermost dispatch on, joined by `/`. */
export class UnfoldedParts implements IDisposable {
  constructor(options: {
    root: DispatchModel;
    /** Makes the model of a dispatch; it is disposed here. */
    create: (dispatchId: string) => DispatchModel;
  }) {
    this._root = options.root;
    this._create = options.create;
    this._root.changed.connect(this._onChanged, this);
  }

  /** Something that is unfolded was loaded, changed, or is no longer there. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What is unfolded and loaded, by path. */
  get loaded(): ReadonlyMap<string, DispatchModel> {
    return new Map(
      [...this._models].filter(([, model]) => model.structure !== null && model.nodes !== null)
    );
  }

  /** The model of an unfolded dispatch. */
  get(path: string): DispatchModel | null {
    return this._models.get(path) ?? null;
  }

  /** Says which are to be shown; a sublattice that has not become a dispatch yet is shown as soon as it has. */
  unfold(paths: readonly string[]): void {
    this._paths = [...paths].sort((a, b) => depthOf(a) - depthOf(b));
    this._update();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._root.changed.disconnect(this._onChanged, this);
      this._models.forEach(model => model.dispose());
      this._models.clear();
      Signal.clearData(this);
    }
  }

  /** Makes and disposes models, outer ones first: they know which dispatches their nodes became. */
  private _update(): void {
    const wanted = new Set(this._paths);
    let isOther = false;
    for (const [path, model] of this._models) {
      if (!wanted.has(path) || this._idAt(path) !== model.dispatchId) {
        model.dispose();
        this._models.delete(path);
        isOther = true;
      }
    }
    for (const path of this._paths) {
      const dispatchId = this._idAt(path);
      if (dispatchId !== null && !this._models.has(path)) {
        const model = this._create(dispatchId);
        this._models.set(path, model);
        model.changed.connect(this._onChanged, this);
        void model.load();
      }
    }
    if (isOther) {
      this._changed.emit();
    }
  }

  private _idAt(path: string): string | null {
    const at = path.lastIndexOf('/');
    const around = at < 0 ? this._root : this._models.get(path.slice(0, at));
    return around?.nodes?.parts.get(Number(path.slice(at + 1))) ?? null;
  }

  private _onChanged(model: DispatchModel, change: DispatchChange): void {
    if (change !== 'feed') {
      this._update();
      if (model !== this._root) {
        this._changed.emit();
      }
    }
  }

  private readonly _root: DispatchModel;
  private readonly _create: (dispatchId: string) => DispatchModel;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _models = new Map<string, DispatchModel>();
  private _paths: readonly string[] = [];
  private _isDisposed = false;
}

function depthOf(path: string): number {
  return path.split('/').length;
}
