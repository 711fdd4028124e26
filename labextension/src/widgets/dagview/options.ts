/** What a graph canvas is given, and what it tells of its selection. */

import type { ILayouter } from '../../graph/layouter';
import type { ITexts } from '../../graph/style';
import type { IGraphView } from './view';

/** What the canvas is made with. */
export interface IGraphCanvasOptions {
  host: HTMLElement;
  texts: ITexts;
  view?: Partial<IGraphView>;
  /** In notebook outputs the wheel scrolls the page unless Ctrl is held. */
  wheelNeedsModifier?: boolean;
  /** Pixels kept free at the top when the graph is fitted, for the buttons there. */
  topInset?: () => number;
  /** Makes layouts that take long beside the page; without it they are made in it. */
  layouter?: ILayouter;
  /** With the path of the graph that the node is in, see `INodePlace`. */
  onSelect?: (id: number | null, path: string) => void;
  onOpen?: (id: number, path: string) => void;
  /** Whether sublattices can be unfolded: somebody watches `view.unfolded` and gives what is in them. */
  canUnfold?: boolean;
  onViewChanged?: (view: IGraphView) => void;
  /** The selection, the states, the search or the layout changed: what lies over the canvas may have to. */
  onChanged?: () => void;
  /** The key for the search was pressed. */
  onFind?: () => void;
}

/** What is selected, for those who show it. */
export interface ISelected {
  readonly label: string;
  /** Several for a stack. */
  readonly nodes: readonly number[];
  /** How many of them have which status code; null where statuses mean nothing. */
  readonly counts: ReadonlyMap<number, number> | null;
  /** The dispatch that the node became. */
  readonly part: string | null;
  /** Where it is. */
  readonly path: string;
  /** Whether its nodes are drawn in its place; null where they cannot be. */
  readonly isUnfolded: boolean | null;
}
