/** What a screen reader says about a graph and its nodes, and what a tooltip does. */

import { markWord } from '../../graph/marks';
import { statusName } from '../../graph/states';
import type { IGraphStructure } from '../../graph/structure';
import type { ITexts } from '../../graph/style';
import { elapsed, formatDuration, nodeWord, statusWord } from '../../graph/style';
import type { Drawing } from './drawing';

const MAX_TITLE = 500;

/** The graph as a whole, and how to go through it. */
export function describeGraph(structure: IGraphStructure, texts: ITexts): string {
  const count = structure.count - structure.parameterCount;
  return texts._n(
    'Workflow graph with %1 node. Tab moves through the nodes, Enter opens one, F goes to the next failed one, / finds.',
    'Workflow graph with %1 nodes. Tab moves through the nodes, Enter opens one, F goes to the next failed one, / finds.',
    count
  );
}

/** What is drawn under an id, a node or a stack; that of a preview has no states. */
export function describeDrawn(
  drawing: Drawing,
  id: number,
  hasStates: boolean,
  texts: ITexts
): string {
  const node = drawing.idOf(id);
  if (node === null) {
    return describeStack(drawing, id, texts);
  }
  const { structure, states } = drawing;
  const frame = drawing.frameOf(id);
  const name =
    frame < 0
      ? texts.__('Node %1: %2', node, structure.labels[id])
      : texts.__('Node %1 in %2: %3', node, structure.labels[frame], structure.labels[id]);
  const parts = [drawing.frames.has(id) ? texts.__('%1, unfolded', name) : name];
  if (hasStates) {
    parts.push(nodeWord(states, id, texts));
    const time = elapsed(states.startedAt[id], states.endedAt[id], Date.now() / 1000);
    if (time !== null) {
      parts.push(formatDuration(time));
    }
  }
  return [...parts, ...markOf(drawing, id, texts)].join(', ');
}

/** A stack: what it holds, and how that stands. */
function describeStack(drawing: Drawing, id: number, texts: ITexts): string {
  const size = drawing.membersOf(id).length;
  const parts = [
    texts._n('Stack of %1 node: %2', 'Stack of %1 nodes: %2', size, drawing.structure.labels[id])
  ];
  drawing.counts?.get(id)?.forEach((count, code) => {
    parts.push(`${count} ${statusWord(statusName(code), texts)}`);
  });
  return [...parts, ...markOf(drawing, id, texts)].join(', ');
}

/** What is different about a node, if it is compared with another. */
function markOf(drawing: Drawing, id: number, texts: ITexts): string[] {
  const mark = drawing.marks?.get(id);
  return mark === undefined ? [] : [markWord(mark, texts)];
}

/** What the pointer is on: the whole name and where it runs, or what is in the stack. */
export function titleOf(drawing: Drawing, id: number, texts: ITexts): string {
  const node = drawing.idOf(id);
  if (node === null) {
    return describeStack(drawing, id, texts);
  }
  const { names, executors, kinds } = drawing.structure;
  const lines = [names[id].slice(0, MAX_TITLE)];
  if (kinds[id] !== 'parameter' && executors[id] !== '') {
    lines.push(texts.__('Node %1 on %2', node, executors[id]));
  }
  return [...lines, ...markOf(drawing, id, texts)].join('\n');
}
