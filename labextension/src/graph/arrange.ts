/** Which layout a graph gets. Pure, so that it can run in a worker as well. */

import { forceLayout } from './force';
import type { ILayout, ILayoutOptions } from './layout';
import { layoutGraph, visibility } from './layout';
import { packedLayout } from './packing';
import { treeLayout } from './tree';
import type { IGraphStructure } from './structure';

/** Positions of all visible nodes and edges in the arrangement asked for; in layers if none is. */
export function arrangeGraph(structure: IGraphStructure, options: ILayoutOptions): ILayout {
  const isVisible = visibility(structure, options);
  const arrangement = options.arrangement ?? 'layered';
  switch (arrangement) {
    case 'layered':
      return layoutGraph(structure, options);
    case 'tree':
      return treeLayout(structure, options, isVisible);
    case 'force':
      return forceLayout(structure, options, isVisible);
    case 'rectangles':
    case 'boxes':
      return packedLayout(structure, options, isVisible, arrangement);
  }
}
