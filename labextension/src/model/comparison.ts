/**
 * Two dispatches side by side, as the server compares them, and their graphs; loaded again on demand, as they may still
 * run. A node that is selected on one side is so together with its counterpart.
 */

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IRestClient } from '../api';
import type { ComparedRow, Comparison } from '../contract';
import type { NodeMark, Side } from '../graph/marks';
import { marksOf } from '../graph/marks';
import type { INodeStates } from '../graph/states';
import { statesFromColumns } from '../graph/states';
import type { IGraphStructure } from '../graph/structure';
import { structureFromWire } from '../graph/structure';
import { messageOf } from './reason';

/** The graph of one side. */
export interface IComparedGraph {
  readonly structure: IGraphStructure;
  readonly states: INodeStates;
  readonly marks: ReadonlyMap<number, NodeMark>;
}

/** A node for each side; null where none is selected. */
export type SelectedPair = Readonly<Record<Side, number | null>>;

const NOTHING: SelectedPair = { left: null, right: null };

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

  get selectionChanged(): ISignal<this, void> {
    return this._selectionChanged;
  }

  /** What the server found; null before the first answer. */
  get found(): Comparison | null {
    return this._found;
  }

  /** Both graphs; null before the first answer. */
  get graphs(): Readonly<Record<Side, IComparedGraph>> | null {
    return this._graphs;
  }

  get selection(): SelectedPair {
    return this._selection;
  }

  /** The row of the selected nodes; null if there is none. */
  get selectedRow(): ComparedRow | null {
    const { left, right } = this._selection;
    return this._rowOf('left', left) ?? this._rowOf('right', right);
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

  /** Selects a node of one side (null: none) and what stands for it on the other. */
  select(side: Side, nodeId: number | null): void {
    const row = this._rowOf(side, nodeId);
    const pair = row === null ? { ...NOTHING, [side]: nodeId } : pairOf(row);
    if (pair.left !== this._selection.left || pair.right !== this._selection.right) {
      this._selection = pair;
      this._selectionChanged.emit();
    }
  }

  /** Asks the server; an answer that was overtaken by a later question is dropped. */
  async load(): Promise<void> {
    const ticket = ++this._ticket;
    this._isLoading = true;
    this._changed.emit();
    let answer: [Comparison, IComparedGraph, IComparedGraph] | null = null;
    let error = '';
    try {
      const found = this._rest.compare(this.left, this.right);
      const graphs = (['left', 'right'] as const).map(side => this._graph(side, found));
      const [left, right] = await Promise.all(graphs);
      answer = [await found, left, right];
    } catch (reason) {
      error = messageOf(reason);
    }
    if (ticket === this._ticket && !this._isDisposed) {
      if (answer !== null) {
        const [found, left, right] = answer;
        this._found = found;
        this._graphs = { left, right };
      }
      this._error = error;
      this._isLoading = false;
      this._changed.emit();
    }
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /** A graph stays as it is; how its nodes stand changes while it runs. */
  private async _graph(side: Side, found: Promise<Comparison>): Promise<IComparedGraph> {
    const id = this[side];
    const known = this._graphs?.[side].structure;
    const [structure, columns, { rows }] = await Promise.all([
      known ?? this._rest.graph(id).then(structureFromWire),
      this._rest.nodes(id),
      found
    ]);
    return {
      structure,
      states: statesFromColumns(structure, columns),
      marks: marksOf(rows, side)
    };
  }

  private _rowOf(side: Side, nodeId: number | null): ComparedRow | null {
    const isOf = (row: ComparedRow) => row[side] !== null && row[side].node_id === nodeId;
    return this._found?.rows.find(isOf) ?? null;
  }

  private readonly _rest: IRestClient;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _selectionChanged = new Signal<this, void>(this);
  private _found: Comparison | null = null;
  private _graphs: Readonly<Record<Side, IComparedGraph>> | null = null;
  private _selection = NOTHING;
  private _error = '';
  private _isLoading = false;
  private _isDisposed = false;
  private _ticket = 0;
}

function pairOf({ left, right }: ComparedRow): SelectedPair {
  return { left: left?.node_id ?? null, right: right?.node_id ?? null };
}
