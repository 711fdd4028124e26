/** What plugins offer each other. */

import type { IDisposable } from '@lumino/disposable';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { Detail, ExportFormat, NodeDetail } from './contract';
import type { ILayoutOptions } from './graph/layout';
import type {
  ComparisonModel,
  ConfigModel,
  DispatchesModel,
  DispatchModel,
  LogModel,
  OverviewModel
} from './model';

/** How graphs are shown when they open. */
export type GraphDefaults = Readonly<Required<Omit<ILayoutOptions, 'room' | 'frames'>>>;

/** The user's settings, see `schema/plugin.json`. */
export interface ICovalentSettings extends GraphDefaults {
  readonly pageSize: number;
  readonly tablePageSize: number;
}

/** Models of everything that is dispatched, on one connection. */
export interface ICovalentLab extends IDisposable {
  readonly dispatches: DispatchesModel;
  readonly overview: OverviewModel;
  readonly settings: ICovalentSettings;
  /** The part of them that is about graphs. */
  readonly graphDefaults: GraphDefaults;
  readonly settingsChanged: ISignal<ICovalentLab, ICovalentSettings>;
  detail(dispatchId: string): Promise<Detail>;
  node(dispatchId: string, nodeId: number): Promise<NodeDetail>;
  /** Asks to cancel one task; resolves with what the server says. */
  cancelNode(dispatchId: string, nodeId: number): Promise<string>;
  /** Makes the model of one dispatch; who asks disposes it. */
  createDispatch(dispatchId: string): DispatchModel;
  /** Reads a dispatch as a file. */
  exported(dispatchId: string, format: Exclude<ExportFormat, 'png'>): Promise<Blob>;
  /** Makes the model of a comparison; who asks disposes it. */
  createComparison(left: string, right: string): ComparisonModel;
  /** Makes a list that holds one page at a time; who asks disposes it. */
  createPages(): DispatchesModel;
  createConfig(): ConfigModel;
  createLog(): LogModel;
  /** Puts the first tutorial where the server shows it; resolves with its path. */
  quickstart(): Promise<string>;
}

export const ICovalentLab = new Token<ICovalentLab>(
  'covalent-lab:ICovalentLab',
  'Models of the dispatches of this server, kept current.'
);

/** The open views of dispatches. */
export interface ICovalentViews {
  /** Shows a dispatch in the main area, with a node selected if one is named. */
  open(dispatchId: string, nodeId?: number): void;
  /** What an open view shows of a dispatch, perhaps inside of another one; null if none does. */
  find(dispatchId: string): DispatchModel | null;
  /** The dispatch whose view is in front, if any. */
  readonly currentId: string | null;
  /** The node that is selected there, if any; it may be of a dispatch inside of that one. */
  readonly currentNode: { readonly dispatchId: string; readonly nodeId: number } | null;
  /** Whether it is a sublattice whose nodes are drawn in its place; null if they cannot be. */
  readonly isUnfolded: boolean | null;
  /** Draws them there, or no longer. */
  toggleFold(): void;
}

export const ICovalentViews = new Token<ICovalentViews>(
  'covalent-lab:ICovalentViews',
  'Opens views of dispatches.'
);

/** Notebooks that are open. */
export interface INotebooks {
  /** Source of the active code cell of the notebook used last; null if there is none. */
  readonly activeSource: string | null;
  /** Puts a new cell below the active one, in a new notebook if none is open. */
  insert(source: string, options: { runs: boolean }): Promise<void>;
  /** Runs the active cell. */
  runActive(): Promise<void>;
  /** Evaluates an expression in the kernel and returns the JSON that its value shows itself as. */
  ask(expression: string): Promise<unknown>;
  /** Opens a notebook and goes to one of its cells. */
  reveal(path: string, cellId: string | null): Promise<void>;
}

export const INotebooks = new Token<INotebooks>(
  'covalent-lab:INotebooks',
  'Cells and kernels of open notebooks.'
);
