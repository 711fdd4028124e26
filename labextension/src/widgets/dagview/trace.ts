/**
 * The course of edges as canvas paths: smooth along the direction of the layout, round the corner at the sides of cards.
 *
 * All edges that run through the gaps of blocks make one path, in which a piece that many edges share occurs once:
 * lines drawn over one another would turn dark. It is made once for a layout.
 */

import type { ILayout, Orientation } from '../../graph/layout';
import { isHorizontal } from '../../graph/positions';
import { ENTERS_BY_SIDE, LEAVES_BY_SIDE } from '../../graph/routes';

/** What lines can be drawn into. */
export type Pen = Pick<
  CanvasPath,
  'moveTo' | 'lineTo' | 'bezierCurveTo' | 'quadraticCurveTo' | 'closePath'
>;

/** The direction of the flow as a step. */
const FLOW: Readonly<Record<Orientation, readonly [number, number]>> = {
  down: [0, 1],
  up: [0, -1],
  right: [1, 0],
  left: [-1, 0]
};

/** Traces an edge from its first point to its last. */
export function traceEdge(pen: Pen, layout: ILayout, edge: number): void {
  const { points, pointStart } = layout;
  const first = pointStart[edge];
  pen.moveTo(points[2 * first], points[2 * first + 1]);
  for (let point = first + 1; point < pointStart[edge + 1]; point += 1) {
    traceStep(pen, layout, edge, point);
  }
}

/** The head of an edge; where it enters by the side, the side itself says enough. */
export function traceArrow(pen: Pen, layout: ILayout, edge: number): void {
  if ((layout.joints[edge] & ENTERS_BY_SIDE) !== 0) {
    return;
  }
  const last = layout.pointStart[edge + 1] - 1;
  const x = layout.points[2 * last];
  const y = layout.points[2 * last + 1];
  const [dx, dy] = layout.isStraight
    ? directionOf(x - layout.points[2 * last - 2], y - layout.points[2 * last - 1])
    : FLOW[layout.orientation];
  pen.moveTo(x, y);
  pen.lineTo(x - 7 * dx + 4 * dy, y - 7 * dy - 4 * dx);
  pen.lineTo(x - 7 * dx - 4 * dy, y - 7 * dy + 4 * dx);
  pen.closePath();
}

/** The edges that touch a block: in its gaps, and on the open stretches where they cross one another. */
export interface IBundles {
  readonly lanes: Path2D;
  readonly crossings: Path2D;
  readonly crossingCount: number;
}

/** The paths of all edges that touch a block. */
export function bundlesOf(layout: ILayout): IBundles {
  let made = bundles.get(layout);
  if (made === undefined) {
    const lanes = new Path2D();
    const crossings = new Path2D();
    made = { lanes, crossings, crossingCount: traceBundles(lanes, crossings, layout) };
    bundles.set(layout, made);
  }
  return made;
}

/** Traces each shared piece once, of straight pieces with a common end only the longest; counts the crossing ones. */
export function traceBundles(lanePen: Pen, crossingPen: Pen, layout: ILayout): number {
  const { points, pointStart, joints } = layout;
  const seen = new Set<string>();
  let crossings = 0;
  const lanes = new Map<string, [number, number, number, number]>();
  for (let edge = 0; edge < layout.edges.length; edge += 1) {
    if (joints[edge] === 0) {
      continue;
    }
    for (let point = pointStart[edge] + 1; point < pointStart[edge + 1]; point += 1) {
      const piece = points.subarray(2 * point - 2, 2 * point + 2);
      if (isStraight(layout, point)) {
        // An entering lane begins where the others do, a leaving one ends there.
        const isLeaving = point < pointStart[edge] + 3 && (joints[edge] & LEAVES_BY_SIDE) !== 0;
        keepLongest(lanes, piece, isLeaving);
        continue;
      }
      const key = piece.join();
      if (!seen.has(key)) {
        seen.add(key);
        const isCorner =
          isLeavingCorner(layout, edge, point) || isEnteringCorner(layout, edge, point);
        const pen = isCorner ? lanePen : crossingPen;
        crossings += isCorner ? 0 : 1;
        pen.moveTo(piece[0], piece[1]);
        traceStep(pen, layout, edge, point);
      }
    }
  }
  for (const [fromX, fromY, toX, toY] of lanes.values()) {
    lanePen.moveTo(fromX, fromY);
    lanePen.lineTo(toX, toY);
  }
  return crossings;
}

const bundles = new WeakMap<ILayout, IBundles>();

function keepLongest(
  lanes: Map<string, [number, number, number, number]>,
  piece: Float32Array,
  isByEnd: boolean
): void {
  const [fromX, fromY, toX, toY] = piece;
  const key = isByEnd ? `e${toX},${toY}` : `b${fromX},${fromY}`;
  const known = lanes.get(key);
  const length = (lane: readonly number[]) => Math.hypot(lane[2] - lane[0], lane[3] - lane[1]);
  if (known === undefined || length(known) < length([fromX, fromY, toX, toY])) {
    lanes.set(key, [fromX, fromY, toX, toY]);
  }
}

/** Whether the piece that ends at a point runs straight on in the direction of the layout. */
function isStraight(layout: ILayout, point: number): boolean {
  const axis = isHorizontal(layout.orientation) ? 1 : 0;
  return layout.points[2 * point + axis] === layout.points[2 * point - 2 + axis];
}

function isLeavingCorner(layout: ILayout, edge: number, point: number): boolean {
  return point === layout.pointStart[edge] + 1 && (layout.joints[edge] & LEAVES_BY_SIDE) !== 0;
}

function isEnteringCorner(layout: ILayout, edge: number, point: number): boolean {
  const isLast = point === layout.pointStart[edge + 1] - 1;
  return isLast && (layout.joints[edge] & ENTERS_BY_SIDE) !== 0;
}

/** The piece that ends at a point; the pen is at its beginning. */
function traceStep(pen: Pen, layout: ILayout, edge: number, point: number): void {
  const { points } = layout;
  const isRight = isHorizontal(layout.orientation);
  const x = points[2 * point - 2];
  const y = points[2 * point - 1];
  const toX = points[2 * point];
  const toY = points[2 * point + 1];
  if (isLeavingCorner(layout, edge, point)) {
    pen.quadraticCurveTo(isRight ? x : toX, isRight ? toY : y, toX, toY);
  } else if (isEnteringCorner(layout, edge, point)) {
    pen.quadraticCurveTo(isRight ? toX : x, isRight ? y : toY, toX, toY);
  } else if (layout.isStraight || isStraight(layout, point)) {
    pen.lineTo(toX, toY);
  } else {
    const [dx, dy] = FLOW[layout.orientation];
    const bend = Math.max(10, Math.abs(isRight ? toX - x : toY - y) * 0.5);
    pen.bezierCurveTo(x + bend * dx, y + bend * dy, toX - bend * dx, toY - bend * dy, toX, toY);
  }
}

function directionOf(dx: number, dy: number): readonly [number, number] {
  const length = Math.hypot(dx, dy);
  return length === 0 ? [0, 1] : [dx / length, dy / length];
}
