/** How the nodes of a graph differ from those of another one that it is compared with. Pure. */

import type { ComparedRow } from '../contract';
import type { ITexts } from './style';

/** What is different about a node: what it did, or that only the left (removed) or the right graph (added) has it. */
export type NodeMark = 'differs' | 'removed' | 'added';

/** One of the two dispatches of a comparison. */
export type Side = 'left' | 'right';

/** A sign for each mark, so that colour is never the only difference. */
export const MARK_SIGNS: Readonly<Record<NodeMark, string>> = {
  differs: '≠',
  removed: '−',
  added: '+'
};

/** The marks of the nodes of one side. */
export function marksOf(rows: readonly ComparedRow[], side: Side): Map<number, NodeMark> {
  const marks = new Map<number, NodeMark>();
  for (const row of rows) {
    const node = row[side];
    if (node !== null && row.differences.length > 0) {
      const isMissing = row.left === null || row.right === null;
      marks.set(node.node_id, !isMissing ? 'differs' : side === 'left' ? 'removed' : 'added');
    }
  }
  return marks;
}

/** The mark of several nodes as one; undefined if none of them has one. */
export function commonMark(
  ids: readonly number[],
  marks: ReadonlyMap<number, NodeMark>
): NodeMark | undefined {
  const found = new Set(ids.map(id => marks.get(id)));
  const [first] = found;
  if (found.size === 1) {
    return first;
  }
  return found.size > 1 ? 'differs' : undefined;
}

/** The words for a mark. */
export function markWord(mark: NodeMark, texts: ITexts): string {
  switch (mark) {
    case 'differs':
      return texts.__('differs');
    case 'removed':
      return texts.__('only left');
    case 'added':
      return texts.__('only right');
  }
}
