/** What one frame shows, as data. */

import type { ILayout } from '../../graph/layout';
import type { NodeMark } from '../../graph/marks';
import type { INodeStates } from '../../graph/states';
import type { IGraphStructure } from '../../graph/structure';
import type { ITexts } from '../../graph/style';
import type { ICamera, ISize } from '../../graph/visible';
import type { IPalette } from './palette';
import type { TextFitter } from './text';

/** Everything a frame shows. */
export interface IScene {
  readonly structure: IGraphStructure;
  readonly layout: ILayout;
  readonly states: INodeStates;
  /** Members of stacks by status code, by drawn id; null without stacks. */
  readonly counts: ReadonlyMap<number, ReadonlyMap<number, number>> | null;
  /** What is different from another graph, by drawn id; null where nothing is compared. */
  readonly marks: ReadonlyMap<number, NodeMark> | null;
  /** 1 for what a search found; null without a search. */
  readonly found: Uint8Array | null;
  /** The node behind a drawn id; null for a stack. */
  readonly nodeOf: (id: number) => number | null;
  /** What is inside of each frame: a sublattice that is unfolded. */
  readonly frames: ReadonlyMap<number, readonly number[]>;
  /** Sublattices that can be unfolded, or folded. */
  readonly foldable: ReadonlyMap<number, string>;
  readonly camera: ICamera;
  readonly size: ISize;
  readonly palette: IPalette;
  readonly texts: ITexts;
  readonly fitter: TextFitter;
  readonly selected: number;
  readonly hovered: number;
  readonly showEdgeLabels: boolean;
  /** Without run-time state (a preview), nodes have neither signs nor times. */
  readonly isLive: boolean;
  /** The picture is being moved: of very many edges only some are painted. */
  readonly isMoving: boolean;
  readonly hasMotion: boolean;
  /** POSIX seconds. */
  readonly now: number;
}
