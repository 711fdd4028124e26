/**
 * One dispatch: detail, graph and node states, kept current by the feed. Shared by view and node panel.
 *
 * Transitions that arrive while the snapshot loads are kept and applied to it; its sequence number sorts out doubles.
 */

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { FeedState, IFeed, IRestClient, SortKey } from '../api';
import { ApiError } from '../api';
import type { Detail, DispatchPage, FeedItem, NodeDetail, Preview, StreamChunk } from '../contract';
import { isTerminal } from '../contract';
import type { INodeStates } from '../graph/states';
import { statesFromColumns } from '../graph/states';
import { shortId } from '../graph/style';
import type { IGraphStructure } from '../graph/structure';
import { structureFromWire } from '../graph/structure';
import { messageOf } from './reason';
import type { IDispatchState } from './reduce';
import { reduceDispatch } from './reduce';

/** What was changed: the graph itself, statuses, or values that only a reload shows. */
export type DispatchChange = 'loaded' | 'statuses' | 'error' | 'feed';

/** The dispatch of which another is one node. */
export interface IParent {
  readonly dispatchId: string;
  readonly nodeId: number | undefined;
  readonly name: string;
}

/** A node of a dispatch that is shown inside of this one's graph. */
export interface IInside {
  readonly model: DispatchModel;
  readonly nodeId: number;
  /** Ids of the nodes that lead there, joined by `/`. */
  readonly path: string;
}

/** An order of the dispatches that nodes became. */
export interface IPartsOrder {
  readonly sort: SortKey;
  readonly direction: 'asc' | 'desc';
}

/** Holds one dispatch. */
export class DispatchModel implements IDisposable {
  constructor(options: { rest: IRestClient; feed: IFeed; dispatchId: string }) {
    this._rest = options.rest;
    this._feed = options.feed;
    this.dispatchId = options.dispatchId;
    this._feed.transitions.connect(this._onTransitions, this);
    this._feed.reset.connect(this._onReset, this);
    this._feed.stateChanged.connect(this._onFeedState, this);
  }

  readonly dispatchId: string;

  get changed(): ISignal<this, DispatchChange> {
    return this._changed;
  }

  /** Emits ids of nodes that changed status. */
  get nodesChanged(): ISignal<this, readonly number[]> {
    return this._nodesChanged;
  }

  get selectionChanged(): ISignal<this, number | null> {
    return this._selectionChanged;
  }

  get structure(): IGraphStructure | null {
    return this._structure;
  }

  get detail(): Detail | null {
    return this._state?.detail ?? null;
  }

  get nodes(): INodeStates | null {
    return this._state?.nodes ?? null;
  }

  /** The dispatch whose node this one is, once its name is known; null for a root. */
  get parent(): IParent | null {
    return this._parent;
  }

  /** Where `Result.save` puts files of this dispatch by default; empty until `loadFolder` knows it. */
  get folder(): string {
    return this._folder;
  }

  get isDeleted(): boolean {
    return this._state?.isDeleted ?? false;
  }

  /** Whether the server has no such dispatch: asking again is of no use. */
  get isMissing(): boolean {
    return this._isMissing;
  }

  get error(): string {
    return this._error;
  }

  get feedState(): FeedState {
    return this._feed.state;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The node shown in the panel, if any. */
  get selection(): number | null {
    return this._selection;
  }

  set selection(id: number | null) {
    if (id !== this._selection || this._inside !== null) {
      this._selection = id;
      this._inside = null;
      this._selectionChanged.emit(id);
    }
  }

  /** The node that is selected inside of an unfolded sublattice; `selection` is then the outermost one around it. */
  get inside(): IInside | null {
    return this._inside;
  }

  /** Selects such a node. */
  selectInside(inside: IInside): void {
    const [outermost] = inside.path.split('/');
    this._selection = Number(outermost);
    this._inside = inside;
    this._selectionChanged.emit(this._selection);
  }

  /** Starts the feed and loads a snapshot. */
  async load(): Promise<void> {
    this._feed.start();
    const ticket = ++this._ticket;
    this._waiting = [];
    this._isLoading = true;
    try {
      const [detail, wire, columns] = await Promise.all([
        this._rest.detail(this.dispatchId),
        this._structure === null ? this._rest.graph(this.dispatchId) : null,
        this._rest.nodes(this.dispatchId)
      ]);
      if (ticket !== this._ticket || this._isDisposed) {
        return;
      }
      if (wire !== null) {
        this._structure = structureFromWire(wire);
      }
      const structure = this._structure as IGraphStructure;
      const snapshot = {
        detail,
        nodes: statesFromColumns(structure, columns),
        seq: columns.seq,
        isDeleted: false
      };
      this._state = reduceDispatch(snapshot, this._waiting);
      this._error = '';
      this._isMissing = false;
      this._isLoading = false;
      this._changed.emit('loaded');
      void this._loadParent(detail);
      if (this._resetSeq > columns.seq) {
        await this.load();
      }
    } catch (reason) {
      if (ticket === this._ticket && !this._isDisposed) {
        this._isLoading = false;
        this._isMissing = reason instanceof ApiError && reason.status === 404;
        this._error = messageOf(reason);
        this._changed.emit('error');
      }
    }
  }

  /** Asks for `folder`, once. */
  async loadFolder(): Promise<void> {
    if (this._folder !== '') {
      return;
    }
    try {
      const { results_dir: folder } = await this._rest.status();
      this._folder = folder === undefined ? '' : `${folder}/${this.dispatchId}`;
      if (!this._isDisposed) {
        this._changed.emit('feed');
      }
    } catch (reason) {
      console.debug('covalent-lab: the folder of results is not known at the moment', reason);
    }
  }

  /** Reads one node, with its inputs, output and logs. */
  node(nodeId: number): Promise<NodeDetail> {
    return this._rest.node(this.dispatchId, nodeId);
  }

  /** Reads what a node has printed after an offset. */
  stream(nodeId: number, name: 'stdout' | 'stderr', offset: number): Promise<StreamChunk> {
    return this._rest.stream(this.dispatchId, nodeId, name, offset);
  }

  /** Reads a part of the list of dispatches that its nodes became. */
  sublattices(order: IPartsOrder, offset: number, count: number): Promise<DispatchPage> {
    const query = { ...order, search: '', status: '', offset, count };
    return this._rest.sublattices(this.dispatchId, query);
  }

  /** Reads the rich previews of a payload. */
  preview(digest: string): Promise<Preview> {
    return this._rest.preview(this.dispatchId, digest);
  }

  /** Reads a whole payload, for a download. */
  payload(digest: string): Promise<Blob> {
    return this._rest.payload(this.dispatchId, digest);
  }

  /** Asks to cancel this dispatch, or some of its nodes. */
  async cancel(taskIds?: readonly number[]): Promise<string> {
    return (await this._rest.cancel(this.dispatchId, taskIds)).message;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._feed.transitions.disconnect(this._onTransitions, this);
    this._feed.reset.disconnect(this._onReset, this);
    this._feed.stateChanged.disconnect(this._onFeedState, this);
    Signal.clearData(this);
  }

  private _onTransitions(_: IFeed, items: readonly FeedItem[]): void {
    const own = items.filter(item => item.dispatch_id === this.dispatchId);
    if (own.length === 0) {
      return;
    }
    if (this._isLoading) {
      this._waiting.push(...own);
    }
    if (this._state === null) {
      return;
    }
    const before = this._state;
    this._state = reduceDispatch(before, own);
    if (this._state === before) {
      return;
    }
    this._changed.emit('statuses');
    const ids = own.filter(item => item.node_id !== null).map(item => item.node_id as number);
    if (ids.length > 0) {
      this._nodesChanged.emit(ids);
    }
    const { status } = this._state.detail;
    if (isTerminal(status) && status !== before.detail.status && !this._state.isDeleted) {
      void this._reloadDetail();
    }
  }

  private async _loadParent(detail: Detail): Promise<void> {
    const dispatchId = detail.parent_dispatch_id ?? null;
    if (dispatchId === null || this._parent !== null) {
      return;
    }
    const nodeId = detail.parent_node_id ?? undefined;
    let name = shortId(dispatchId);
    try {
      name = (await this._rest.detail(dispatchId)).name;
    } catch (reason) {
      console.warn(`covalent-lab: could not read the name of ${dispatchId}`, reason);
    }
    if (!this._isDisposed) {
      this._parent = { dispatchId, nodeId, name };
      this._changed.emit('loaded');
    }
  }

  /** The result, and what nodes used, is known only to the server; statuses stay as the feed told them. */
  private async _reloadDetail(): Promise<void> {
    try {
      const [detail, columns] = await Promise.all([
        this._rest.detail(this.dispatchId),
        this._rest.nodes(this.dispatchId)
      ]);
      if (this._state !== null && this._structure !== null && !this._isDisposed) {
        const { cpuS, peakMemory } = statesFromColumns(this._structure, columns);
        this._state = {
          ...this._state,
          detail,
          nodes: { ...this._state.nodes, cpuS, peakMemory }
        };
        this._changed.emit('loaded');
      }
    } catch (reason) {
      console.warn(`covalent-lab: could not reload ${this.dispatchId}`, reason);
    }
  }

  private _onReset(_: IFeed, reset: { seq: number; isForced: boolean }): void {
    this._resetSeq = reset.isForced ? -1 : reset.seq;
    const isOld = this._error !== '' || (this._state !== null && this._state.seq < reset.seq);
    if (reset.isForced || (isOld && !this._isMissing)) {
      void this.load();
    }
  }

  private _onFeedState(_: IFeed, state: FeedState): void {
    if (state === 'connected' && this._error !== '' && !this._isMissing) {
      void this.load();
    } else {
      this._changed.emit('feed');
    }
  }

  private readonly _rest: IRestClient;
  private readonly _feed: IFeed;
  private readonly _changed = new Signal<this, DispatchChange>(this);
  private readonly _nodesChanged = new Signal<this, readonly number[]>(this);
  private readonly _selectionChanged = new Signal<this, number | null>(this);
  private _state: IDispatchState | null = null;
  private _parent: IParent | null = null;
  private _folder = '';
  private _structure: IGraphStructure | null = null;
  private _selection: number | null = null;
  private _inside: IInside | null = null;
  private _waiting: FeedItem[] = [];
  private _isLoading = false;
  private _isMissing = false;
  private _ticket = 0;
  private _resetSeq = -1;
  private _error = '';
  private _isDisposed = false;
}
