/** What of a graph is shown, and how: what the buttons over it switch. */

import type { ILayoutOptions } from '../../graph/layout';
import { ARRANGEMENTS, ORIENTATIONS } from '../../graph/layout';
import type { Shift } from '../../graph/positions';

/** The switches of one graph. */
export interface IGraphView extends ILayoutOptions {
  showEdgeLabels: boolean;
  showMinimap: boolean;
  /** Labels in words instead of names as they are in the code. */
  isPretty: boolean;
  /** Equal nodes are drawn as stacks. */
  hasStacks: boolean;
  /** Nodes stay where the layout puts them. */
  isLocked: boolean;
  /** Paths of sublattices whose nodes are drawn in their place, see `INodePlace`. */
  unfolded: readonly string[];
  /** How far nodes were moved from where a layout puts them: by layout, then by node, see `layoutKey` and `moveKey`. */
  moved: Readonly<Record<string, Readonly<Record<string, Shift>>>>;
}

export const DEFAULT_VIEW: IGraphView = {
  orientation: 'down',
  arrangement: 'layered',
  showParameters: true,
  showPostprocess: false,
  showEdgeLabels: false,
  showMinimap: true,
  isPretty: false,
  hasStacks: false,
  isLocked: true,
  unfolded: [],
  moved: {}
};

/** More parameters than this hide the graph; they start switched off. */
const MANY_PARAMETERS = 150;
/** Graphs with more nodes start with stacks. */
const MANY_NODES = 400;

/** Sublattices with more nodes are drawn with stacks inside of another graph, and with more values without these. */
const MANY_IN_PART = 60;
const MANY_PARAMETERS_IN_PART = 30;

/** The switches for what is unfolded inside of a graph: it is to stay small. */
export function partView(
  counts: { count: number; parameterCount: number },
  view: IGraphView
): Pick<IGraphView, 'isPretty' | 'hasStacks'> {
  const isLarge = counts.count - counts.parameterCount > MANY_IN_PART;
  return { isPretty: view.isPretty, hasStacks: view.hasStacks || isLarge };
}

/** Whether the values of an unfolded sublattice may be drawn. */
export function showsParameters({ parameterCount }: { parameterCount: number }): boolean {
  return parameterCount <= MANY_PARAMETERS_IN_PART;
}

/** What can be used of a view that was kept, perhaps by another version. */
export function readView(kept: unknown): Partial<IGraphView> {
  if (!isRecord(kept)) {
    return {};
  }
  const view: Record<string, unknown> = {};
  for (const [key, usual] of Object.entries(DEFAULT_VIEW)) {
    if (typeof usual === 'boolean' && typeof kept[key] === 'boolean') {
      view[key] = kept[key];
    }
  }
  if (ORIENTATIONS.some(name => name === kept.orientation)) {
    view.orientation = kept.orientation;
  }
  if (ARRANGEMENTS.some(name => name === kept.arrangement)) {
    view.arrangement = kept.arrangement;
  }
  if (Array.isArray(kept.unfolded)) {
    view.unfolded = kept.unfolded.filter(path => typeof path === 'string');
  }
  if (isRecord(kept.moved) && Object.values(kept.moved).every(isMoves)) {
    view.moved = kept.moved;
  }
  return view;
}

function isMoves(value: unknown): boolean {
  return (
    isRecord(value) &&
    Object.values(value).every(
      shift => Array.isArray(shift) && shift.length === 2 && shift.every(Number.isFinite)
    )
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How a graph is best shown at first. */
export function initialView(counts: {
  count: number;
  parameterCount: number;
}): Partial<IGraphView> {
  return {
    ...(counts.parameterCount > MANY_PARAMETERS ? { showParameters: false } : {}),
    hasStacks: counts.count - counts.parameterCount > MANY_NODES
  };
}

/** Moves of nodes hold for the layout in which they were made. */
export function layoutKey({ arrangement = 'layered', orientation }: ILayoutOptions): string {
  return `${arrangement} ${orientation}`;
}

/** The view after a node was moved further. */
export function withMove(
  view: IGraphView,
  key: string,
  [dx, dy]: Shift
): Pick<IGraphView, 'moved'> {
  const layout = layoutKey(view);
  const [x, y] = view.moved[layout]?.[key] ?? [0, 0];
  return {
    moved: { ...view.moved, [layout]: { ...view.moved[layout], [key]: [x + dx, y + dy] } }
  };
}

/** The view with all nodes of the layout at hand where that puts them. */
export function withoutMoves(view: IGraphView): Pick<IGraphView, 'moved'> {
  const moved = { ...view.moved };
  delete moved[layoutKey(view)];
  return { moved };
}

/** Whether nodes were moved in the layout at hand. */
export function hasMoves(view: IGraphView): boolean {
  return Object.keys(view.moved[layoutKey(view)] ?? {}).length > 0;
}

/** Whether a change of the view moves nodes. */
export function changesLayout(before: IGraphView, after: IGraphView): boolean {
  const keys = ['orientation', 'arrangement', 'showParameters', 'showPostprocess'] as const;
  return keys.some(key => before[key] !== after[key]);
}

/** Whether a change of the view makes another graph of it. */
export function changesDrawing(before: IGraphView, after: IGraphView): boolean {
  return before.isPretty !== after.isPretty || before.hasStacks !== after.hasStacks;
}
