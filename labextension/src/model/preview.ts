/** A workflow that was drawn and does not run: what is known of it and of its nodes, and what is selected. */

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { GraphFunction, GraphOptions, ILatticeBundle } from '../contract';
import type { IGraphStructure } from '../graph/structure';
import { structureFromWire } from '../graph/structure';

/** An argument of a node. */
export interface IPreviewInput {
  readonly name: string;
  readonly source: number;
  /** It only has to come later. */
  readonly isWait: boolean;
}

/** Holds the workflow that was drawn last. */
export class PreviewModel implements IDisposable {
  /** Shows another workflow. */
  setBundle(bundle: ILatticeBundle): void {
    this._bundle = bundle;
    this._structure = structureFromWire(bundle.graph);
    this._selection = null;
    this._changed.emit();
  }

  /** Another workflow was drawn. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get selectionChanged(): ISignal<this, number | null> {
    return this._selectionChanged;
  }

  get bundle(): ILatticeBundle | null {
    return this._bundle;
  }

  get structure(): IGraphStructure | null {
    return this._structure;
  }

  get selection(): number | null {
    return this._selection;
  }

  set selection(id: number | null) {
    if (id !== this._selection) {
      this._selection = id;
      this._selectionChanged.emit(id);
    }
  }

  /** The function of a node; parameters and lists have none. */
  functionOf(id: number): GraphFunction | null {
    const index = this._bundle?.graph.nodes.function?.[id] ?? null;
    return index === null ? null : (this._bundle?.graph.functions[index] ?? null);
  }

  /** Where and how a node would run. */
  optionsOf(id: number): GraphOptions | null {
    const { graph } = this._bundle ?? {};
    return graph?.options?.[graph.nodes.options?.[id] ?? 0] ?? null;
  }

  /** The arguments of a node in the order of its edges. */
  inputsOf(id: number): IPreviewInput[] {
    const { edges } = this._bundle?.graph ?? {};
    return (edges?.target ?? []).flatMap((target, edge) =>
      target === id && edges !== undefined
        ? [
            {
              name: edges.name?.[edge] ?? '',
              source: edges.source[edge],
              isWait: edges.param_type?.[edge] === 'wait'
            }
          ]
        : []
    );
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _selectionChanged = new Signal<this, number | null>(this);
  private _bundle: ILatticeBundle | null = null;
  private _structure: IGraphStructure | null = null;
  private _selection: number | null = null;
  private _isDisposed = false;
}
