/** What of a graph is shown, and how: what the buttons over it switch. */

import type { ILayoutOptions } from '../../graph/layout';

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
  isLocked: true
};

/** More parameters than this hide the graph; they start switched off. */
const MANY_PARAMETERS = 150;
/** Graphs with more nodes start with stacks. */
const MANY_NODES = 400;

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

/** Whether a change of the view moves nodes. */
export function changesLayout(before: IGraphView, after: IGraphView): boolean {
  const keys = ['orientation', 'arrangement', 'showParameters', 'showPostprocess'] as const;
  return keys.some(key => before[key] !== after[key]);
}

/** Whether a change of the view makes another graph of it. */
export function changesDrawing(before: IGraphView, after: IGraphView): boolean {
  return before.isPretty !== after.isPretty || before.hasStacks !== after.hasStacks;
}
