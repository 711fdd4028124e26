/**
 * One graph as it is drawn: labels in words if they are wanted, equal nodes as stacks. Ids of nodes and of what is drawn
 * differ as soon as there is a stack; this class translates.
 */

import { EVERYTHING, findNodes, isEverything } from '../../graph/find';
import type { INodeQuery } from '../../graph/find';
import type { NodeMark } from '../../graph/marks';
import { commonMark } from '../../graph/marks';
import type { IStacks } from '../../graph/stacks';
import { countStates, stackGraph, stackStates } from '../../graph/stacks';
import type { INodeStates } from '../../graph/states';
import { statesFromColumns } from '../../graph/states';
import type { IGraphStructure } from '../../graph/structure';
import { withPrettyLabels } from '../../graph/structure';
import type { IGraphView } from './view';

/** The switches that make another graph of it. */
export type IDrawnView = Pick<IGraphView, 'isPretty' | 'hasStacks'>;

/** One graph with its states. */
export class DrawnGraph {
  constructor(graph: IGraphStructure, view: IDrawnView) {
    this.graph = graph;
    this._nodeStates = this._states = statesFromColumns(graph, null);
    this._structure = graph;
    this.configure(view);
  }

  /** The graph as it came. */
  readonly graph: IGraphStructure;

  /** The graph that is painted. */
  get structure(): IGraphStructure {
    return this._structure;
  }

  /** States by drawn id. */
  get states(): INodeStates {
    return this._states;
  }

  /** States by node, as they were set. */
  get nodeStates(): INodeStates {
    return this._nodeStates;
  }

  /** By drawn id: how many members of a stack have which status; null where nothing is stacked. */
  get counts(): ReadonlyMap<number, ReadonlyMap<number, number>> | null {
    return this._counts;
  }

  /** By drawn id: what is different from the graph that this one is compared with; null where it is not. */
  get marks(): ReadonlyMap<number, NodeMark> | null {
    return this._marks;
  }

  /** Nodes that are looked for, ascending; null without a search. */
  get found(): readonly number[] | null {
    return this._found;
  }

  /** By drawn id: 1 where a node that is looked for is. */
  get foundDrawn(): Uint8Array | null {
    return this._foundDrawn;
  }

  /** Applies the switches; stacks that were opened close when stacks are switched on again. */
  configure(view: IDrawnView): void {
    if (!view.hasStacks) {
      this._opened.clear();
    }
    this._isPretty = view.isPretty;
    this._hasStacks = view.hasStacks;
    this._rebuild();
  }

  setStates(states: INodeStates): void {
    this._nodeStates = states;
    this._restate();
  }

  /** Takes what is different about nodes. */
  setMarks(marks: ReadonlyMap<number, NodeMark>): void {
    this._nodeMarks = marks;
    this._remark();
  }

  setQuery(query: INodeQuery): void {
    this._query = query;
    this._search();
  }

  /** The drawn node that shows a node. */
  drawnOf(node: number): number {
    return this._stacks === null ? node : this._stacks.drawn[node];
  }

  /** The node that a drawn one shows; null for a stack. */
  nodeOf(drawn: number): number | null {
    const members = this.membersOf(drawn);
    return members.length === 1 ? members[0] : null;
  }

  /** The nodes that a drawn one shows. */
  membersOf(drawn: number): readonly number[] {
    return this._stacks === null ? [drawn] : this._stacks.members[drawn];
  }

  /** Shows the nodes of the stack that holds this one. */
  open(node: number): void {
    this._opened.add(node);
    this._rebuild();
  }

  private _rebuild(): void {
    const named = this._isPretty ? withPrettyLabels(this.graph) : this.graph;
    // Stacks are made of the names in the code, whatever is written on them.
    this._stacks = this._hasStacks ? stackGraph(named, this._opened) : null;
    this._structure = this._stacks?.structure ?? named;
    this._restate();
    this._remark();
  }

  private _restate(): void {
    const { _stacks: stacks, _nodeStates: states } = this;
    this._states = stacks === null ? states : stackStates(stacks, states);
    this._counts = null;
    if (stacks !== null) {
      const counts = new Map<number, ReadonlyMap<number, number>>();
      stacks.members.forEach((ids, index) => {
        if (ids.length > 1) {
          counts.set(index, countStates(ids, states));
        }
      });
      this._counts = counts;
    }
    this._search();
  }

  private _remark(): void {
    const { _stacks: stacks, _nodeMarks: marks } = this;
    this._marks = marks;
    if (stacks !== null && marks !== null) {
      const drawn = new Map<number, NodeMark>();
      stacks.members.forEach((ids, index) => {
        const mark = commonMark(ids, marks);
        if (mark !== undefined) {
          drawn.set(index, mark);
        }
      });
      this._marks = drawn;
    }
  }

  private _search(): void {
    this._found = this._foundDrawn = null;
    if (!isEverything(this._query)) {
      const { _nodeStates: states, _query: query } = this;
      const found = findNodes(this.graph, states, query);
      const isFound = new Uint8Array(this._structure.count);
      found.forEach(id => (isFound[this.drawnOf(id)] = 1));
      this._found = found;
      this._foundDrawn = isFound;
    }
  }

  private readonly _opened = new Set<number>();
  private _isPretty = false;
  private _hasStacks = false;
  private _structure: IGraphStructure;
  private _stacks: IStacks | null = null;
  private _nodeStates: INodeStates;
  private _states: INodeStates;
  private _counts: ReadonlyMap<number, ReadonlyMap<number, number>> | null = null;
  private _nodeMarks: ReadonlyMap<number, NodeMark> | null = null;
  private _marks: ReadonlyMap<number, NodeMark> | null = null;
  private _query: INodeQuery = EVERYTHING;
  private _found: readonly number[] | null = null;
  private _foundDrawn: Uint8Array | null = null;
}
