/**
 * All that is drawn in one canvas: a graph, and those inside of its unfolded sublattices.
 *
 * Three kinds of ids: a *place* names a node for those outside, by the graph that it is in and its id there; *numbers*
 * go through the nodes of all graphs, those of the outermost being their ids; *drawn ids* go through what is painted,
 * where a stack is one. Numbers and drawn ids hold until something is folded or unfolded, places for ever.
 */

import type { INodeQuery } from '../../graph/find';
import { EVERYTHING } from '../../graph/find';
import type { NodeMark } from '../../graph/marks';
import type { ILevel, INestedGraph } from '../../graph/nesting';
import { flattened, levelsOf } from '../../graph/nesting';
import type { INodeStates } from '../../graph/states';
import { joinedStates } from '../../graph/states';
import type { IGraphStructure } from '../../graph/structure';
import { DrawnGraph } from './drawngraph';
import type { IGraphView } from './view';
import { partView, showsParameters } from './view';

/** A node, and the graph that it is in: the ids of the nodes that lead there, `3/0`; empty for the outermost. */
export interface INodePlace {
  readonly path: string;
  readonly node: number;
}

/** A dispatch that is shown inside of another one's graph. */
export interface IPart {
  readonly structure: IGraphStructure;
  readonly states: INodeStates;
}

/** The path of the graph inside of a node. */
export function pathInto({ path, node }: INodePlace): string {
  return path === '' ? String(node) : `${path}/${node}`;
}

/** The node that a graph is inside of. */
export function placeOfPath(path: string): INodePlace {
  const at = path.lastIndexOf('/');
  return { path: path.slice(0, Math.max(0, at)), node: Number(path.slice(at + 1)) };
}

interface IShown {
  readonly path: string;
  readonly drawn: DrawnGraph;
  readonly level: ILevel;
  /** The number of its first node. */
  readonly first: number;
}

/** A graph with its states, and what is unfolded in it. */
export class Drawing {
  constructor(graph: IGraphStructure, view: IGraphView) {
    this._view = view;
    this._root = new DrawnGraph(graph, view);
    this._compose();
  }

  /** What is to be arranged. */
  get graph(): INestedGraph {
    return this._shown[0].level.graph;
  }

  /** All that is painted, as one graph. */
  get structure(): IGraphStructure {
    return this._structure;
  }

  /** States by drawn id. */
  get states(): INodeStates {
    return this._states;
  }

  /** States by number. */
  get nodeStates(): INodeStates {
    return this._nodeStates;
  }

  /** By drawn id: how many members of a stack have which status; null where nothing is stacked. */
  get counts(): ReadonlyMap<number, ReadonlyMap<number, number>> | null {
    return this._counts;
  }

  /** By drawn id: what is different from the graph that this one is compared with; null where it is not. */
  get marks(): ReadonlyMap<number, NodeMark> | null {
    return this._root.marks; // what is compared is not unfolded
  }

  /** Numbers of the nodes that are looked for, ascending; null without a search. */
  get found(): readonly number[] | null {
    return this._found;
  }

  /** By drawn id: 1 where a node that is looked for is. */
  get foundDrawn(): Uint8Array | null {
    return this._foundDrawn;
  }

  /** By drawn id of a frame: the drawn ids of all that is inside of it, at any depth. */
  get frames(): ReadonlyMap<number, readonly number[]> {
    return this._frames;
  }

  /** The frame around a drawn node, -1 where there is none. */
  frameOf(drawn: number): number {
    return this._shownAt(drawn).level.frame;
  }

  /** Applies the switches; stacks that were opened close when stacks are switched on again. */
  configure(view: IGraphView): void {
    this._view = view;
    this._root.configure(view);
    this._parts.forEach(part => part.configure(partView(part.graph, view)));
    this._compose();
  }

  setStates(states: INodeStates): void {
    this._root.setStates(states);
    this._restate();
  }

  /**
   * Takes what is unfolded, by path; what is inside of something folded, or of a stack, is not shown.
   *
   * Returns whether that makes another graph of it.
   */
  setParts(parts: ReadonlyMap<string, IPart>): boolean {
    let isOther = false;
    for (const path of [...this._parts.keys()].filter(known => !parts.has(known))) {
      this._parts.delete(path);
      isOther = true;
    }
    parts.forEach(({ structure, states }, path) => {
      let part = this._parts.get(path);
      if (part?.graph !== structure) {
        part = new DrawnGraph(structure, partView(structure, this._view));
        part.setQuery(this._query);
        this._parts.set(path, part);
        isOther = true;
      }
      part.setStates(states);
    });
    if (isOther) {
      this._compose();
    } else {
      this._restate();
    }
    return isOther;
  }

  /** Takes what is different about nodes. */
  setMarks(marks: ReadonlyMap<number, NodeMark>): void {
    this._root.setMarks(marks);
  }

  setQuery(query: INodeQuery): void {
    this._query = query;
    [this._root, ...this._parts.values()].forEach(drawn => drawn.setQuery(query));
    this._search();
  }

  /** The drawn node that shows a node. */
  drawnOf(number: number): number {
    const { drawn, level, first } = this._shownOf(number);
    return level.first + drawn.drawnOf(number - first);
  }

  /** The number of the node that a drawn one shows; null for a stack. */
  nodeOf(drawn: number): number | null {
    const members = this.membersOf(drawn);
    return members.length === 1 ? members[0] : null;
  }

  /** The numbers of the nodes that a drawn one shows. */
  membersOf(drawn: number): readonly number[] {
    const { drawn: graph, level, first } = this._shownAt(drawn);
    const members = graph.membersOf(drawn - level.first);
    return first === 0 ? members : members.map(id => first + id);
  }

  /** The id that a drawn node has in its own dispatch; null for a stack. */
  idOf(drawn: number): number | null {
    const number = this.nodeOf(drawn);
    return number === null ? null : this.placeOf(number).node;
  }

  /** Where a node is. */
  placeOf(number: number): INodePlace {
    const { path, first } = this._shownOf(number);
    return { path, node: number - first };
  }

  /** The number of a node; that of the innermost shown node around it where it is folded away. */
  numberOf(place: INodePlace): number {
    const shown = this._shown.find(({ path }) => path === place.path);
    return shown === undefined
      ? this.numberOf(placeOfPath(place.path))
      : shown.first + Math.min(place.node, shown.drawn.graph.count - 1);
  }

  /** Shows the nodes of the stack that holds this one. */
  open(number: number): void {
    const { drawn, first } = this._shownOf(number);
    drawn.open(number - first);
    this._compose();
  }

  private _shownAt(drawn: number): IShown {
    const [root] = this._shown;
    return drawn < root.drawn.structure.count
      ? root
      : last(this._shown, ({ level }) => level.first <= drawn);
  }

  private _shownOf(number: number): IShown {
    const [root] = this._shown;
    return number < root.drawn.graph.count
      ? root
      : last(this._shown, ({ first }) => first <= number);
  }

  /** Puts the graphs together, after one of them has changed or was folded or unfolded. */
  private _compose(): void {
    const order: { path: string; drawn: DrawnGraph }[] = [];
    const nest = (path: string, drawn: DrawnGraph): INestedGraph => {
      order.push({ path, drawn });
      const inside: [number, string][] = [...this._parts.keys()]
        .filter(key => placeOfPath(key).path === path)
        .map(key => [drawn.drawnOf(placeOfPath(key).node), key]);
      const parts = inside
        .filter(([id]) => drawn.nodeOf(id) !== null)
        .sort(([a], [b]) => a - b) // the order of `levelsOf`
        .map(([id, key]) => [id, nest(key, this._parts.get(key) as DrawnGraph)] as const);
      const shows = path === '' || showsParameters(drawn.graph);
      return { structure: drawn.structure, showsParameters: shows, parts: new Map(parts) };
    };
    const levels = levelsOf(nest('', this._root));
    let first = 0;
    this._shown = order.map(({ path, drawn }, index) => {
      const shown = { path, drawn, level: levels[index], first };
      first += drawn.graph.count;
      return shown;
    });
    this._structure = flattened(levels);
    this._frames = framesOf(levels);
    this._restate();
  }

  private _restate(): void {
    this._states = joinedStates(this._shown.map(({ drawn }) => drawn.states));
    this._nodeStates = joinedStates(this._shown.map(({ drawn }) => drawn.nodeStates));
    this._counts = null;
    const counted = this._shown.filter(({ drawn }) => drawn.counts !== null);
    if (counted.length > 0) {
      this._counts = new Map(
        counted.flatMap(({ drawn, level }) =>
          [...(drawn.counts ?? [])].map(([id, counts]) => [level.first + id, counts] as const)
        )
      );
    }
    this._search();
  }

  private _search(): void {
    this._found = this._foundDrawn = null;
    if (this._root.found !== null) {
      this._found = this._shown.flatMap(({ drawn, first }) =>
        (drawn.found ?? []).map(id => first + id)
      );
      this._foundDrawn = Uint8Array.from(
        this._shown.flatMap(({ drawn }) => [...(drawn.foundDrawn ?? [])])
      );
    }
  }

  private readonly _root: DrawnGraph;
  private readonly _parts = new Map<string, DrawnGraph>();
  private _view: IGraphView;
  private _query: INodeQuery = EVERYTHING;
  private _shown!: readonly IShown[];
  private _structure!: IGraphStructure;
  private _states!: INodeStates;
  private _nodeStates!: INodeStates;
  private _frames: ReadonlyMap<number, readonly number[]> = new Map();
  private _counts: ReadonlyMap<number, ReadonlyMap<number, number>> | null = null;
  private _found: readonly number[] | null = null;
  private _foundDrawn: Uint8Array | null = null;
}

/** What is inside of each frame: its own nodes, and those of the frames among them. */
function framesOf(levels: readonly ILevel[]): Map<number, readonly number[]> {
  const frames = new Map<number, readonly number[]>();
  for (const { graph, first, frame } of [...levels].reverse()) {
    if (frame >= 0) {
      const own = Array.from({ length: graph.structure.count }, (_, id) => first + id);
      frames.set(frame, [...own, ...own.flatMap(id => frames.get(id) ?? [])]);
    }
  }
  return frames;
}

function last<T>(items: readonly T[], isBefore: (item: T) => boolean): T {
  return items[Math.max(0, items.filter(isBefore).length - 1)];
}
