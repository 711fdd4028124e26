/**
 * Signs on the canvas: of each status a disc with a shape of its own, so that colour is never the only difference, and of
 * each kind of node.
 */

import type { NodeKind } from '../../graph/structure';
import type { IPalette } from './palette';

/** Lines of the signs of kinds, in a box from 0 to 16. */
export const KIND_PATHS: Readonly<Record<NodeKind, string>> = {
  function: 'M11.5 3.2c-2.6-1-3.6.4-4 3L6 13c-.4 1.6-1.4 2.2-3 1.5M4.5 7.5h6',
  parameter: 'M4 5h8a3 3 0 0 1 0 6H4a3 3 0 0 1 0-6',
  electron_list: 'M6 2.5H3v11h3M10 2.5h3v11h-3M7 8h2',
  electron_dict:
    'M6.5 2.5c-4 0-1 5.5-4 5.5 3 0 0 5.5 4 5.5M9.5 2.5c4 0 1 5.5 4 5.5-3 0 0 5.5-4 5.5',
  sublattice: 'M2.5 2.5h5v4h-5zM8.5 9.5h5v4h-5zM5 6.5v5h3.5',
  postprocess: 'M3.5 14V2.5M3.5 3h9l-2.2 3 2.2 3h-9'
};

const SPIN_SECONDS = 1.4;

/** Draws the sign of a status, centred; `phase` in seconds turns the running one. */
export function drawStatusGlyph(
  context: CanvasRenderingContext2D,
  tone: string,
  x: number,
  y: number,
  radius: number,
  palette: IPalette,
  phase: number
): void {
  const colour = palette.status[tone === 'reused' ? 'completed' : tone] ?? palette.status.pending;
  context.save();
  context.translate(x, y);
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.lineWidth = radius * 0.24;
  context.strokeStyle = colour;
  context.fillStyle = colour;
  const unit = radius / 10;
  switch (tone) {
    case 'pending':
      context.setLineDash([radius * 0.45, radius * 0.42]);
      circle(context, radius * 0.86);
      context.stroke();
      break;
    case 'queued':
      circle(context, radius * 0.88);
      context.stroke();
      path(context, [0, -5, 0, 0.5, 3.6, 2.6], unit);
      break;
    case 'reused':
      circle(context, radius * 0.88);
      context.stroke();
      path(context, [-4.2, 0.3, -1.2, 3.3, 4.3, -3.1], unit);
      break;
    case 'running':
    case 'dispatching': {
      context.globalAlpha = 0.25;
      circle(context, radius * 0.86);
      context.stroke();
      context.globalAlpha = 1;
      const turn = (phase / SPIN_SECONDS) * 2 * Math.PI;
      context.beginPath();
      context.arc(0, 0, radius * 0.86, turn, turn + Math.PI * 0.65);
      context.stroke();
      if (tone === 'dispatching') {
        path(context, [0, -4, 0, 0, -3.2, 3.2], unit);
        path(context, [0, 0, 3.2, 3.2], unit);
        break;
      }
      context.beginPath();
      context.moveTo(-2.4 * unit, -3.8 * unit);
      context.lineTo(4.2 * unit, 0);
      context.lineTo(-2.4 * unit, 3.8 * unit);
      context.closePath();
      context.fill();
      break;
    }
    default:
      circle(context, radius);
      context.fill();
      context.strokeStyle = palette.onStatus;
      if (tone === 'completed') {
        path(context, [-4.4, 0.3, -1.3, 3.5, 4.6, -3.3], unit);
      } else if (tone === 'failed') {
        path(context, [-3.4, -3.4, 3.4, 3.4], unit);
        path(context, [3.4, -3.4, -3.4, 3.4], unit);
      } else {
        path(context, [-4.3, 0, 4.3, 0], unit);
      }
  }
  context.restore();
}

/** Draws the sign of a kind of node, centred in a square of this size. */
export function drawKindGlyph(
  context: CanvasRenderingContext2D,
  kind: NodeKind,
  x: number,
  y: number,
  size: number,
  colour: string
): void {
  context.save();
  context.translate(x - size / 2, y - size / 2);
  context.scale(size / 16, size / 16);
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  let path = kindPaths.get(kind);
  if (path === undefined) {
    path = new Path2D(KIND_PATHS[kind]);
    kindPaths.set(kind, path);
  }
  context.stroke(path);
  context.restore();
}

const kindPaths = new Map<NodeKind, Path2D>();

function circle(context: CanvasRenderingContext2D, radius: number): void {
  context.beginPath();
  context.arc(0, 0, radius, 0, 2 * Math.PI);
}

function path(context: CanvasRenderingContext2D, points: readonly number[], unit: number): void {
  context.beginPath();
  context.moveTo(points[0] * unit, points[1] * unit);
  for (let i = 2; i < points.length; i += 2) {
    context.lineTo(points[i] * unit, points[i + 1] * unit);
  }
  context.stroke();
}
