/** What a screen reader says about a graph and its nodes. */

import type { INodeStates } from '../../graph/states';
import type { IGraphStructure } from '../../graph/structure';
import type { ITexts } from '../../graph/style';
import { elapsed, formatDuration, nodeWord } from '../../graph/style';

/** The graph as a whole, and how to go through it. */
export function describeGraph(structure: IGraphStructure, texts: ITexts): string {
  const count = structure.count - structure.parameterCount;
  return texts.__(
    'Workflow graph with %1 nodes. Tab moves through the nodes, F to the next failed one.',
    count
  );
}

/** One node; without states it is part of a preview. */
export function describeNode(
  structure: IGraphStructure,
  states: INodeStates | null,
  id: number,
  texts: ITexts
): string {
  const parts = [texts.__('Node %1: %2', id, structure.labels[id])];
  if (states !== null) {
    parts.push(nodeWord(states, id, texts));
    const time = elapsed(states.startedAt[id], states.endedAt[id], Date.now() / 1000);
    if (time !== null) {
      parts.push(formatDuration(time));
    }
  }
  return parts.join(', ');
}
