/** The sign at the corner of a sublattice: a plus where it can be unfolded, a minus where it is. */

import type { ILayout } from '../../graph/layout';
import type { ICamera } from '../../graph/visible';
import type { IScene } from './scene';

const RADIUS = 8;
/** Pixels on the screen around its centre that a click may miss by. */
const SLACK = 3;
/** Pixels on the screen; it is no smaller, so that it can be hit. */
const MIN_RADIUS = 6;
/** Nodes that are narrower on the screen have none. */
const MIN_WIDTH = 40;

/** Where it is, in world units. */
export function signOf(layout: ILayout, id: number): { x: number; y: number } {
  return {
    x: layout.x[id] + layout.nodeWidth[id] / 2 - 2,
    y: layout.y[id] - layout.nodeHeight[id] / 2 + 2
  };
}

/** Whether a point on the screen is on the sign of a node. */
export function isOnSign(
  layout: ILayout,
  camera: ICamera,
  id: number,
  at: { x: number; y: number }
): boolean {
  if (layout.nodeWidth[id] * camera.scale < MIN_WIDTH) {
    return false;
  }
  const sign = signOf(layout, id);
  const dx = (sign.x - camera.x) * camera.scale - at.x;
  const dy = (sign.y - camera.y) * camera.scale - at.y;
  return Math.hypot(dx, dy) <= radiusOf(camera) * camera.scale + SLACK;
}

function radiusOf({ scale }: ICamera): number {
  return Math.max(RADIUS, MIN_RADIUS / scale);
}

/** Paints it, if the node is a sublattice that became a dispatch. */
export function paintFoldSign(context: CanvasRenderingContext2D, scene: IScene, id: number): void {
  const { layout, palette, camera } = scene;
  if (!scene.foldable.has(id) || layout.nodeWidth[id] * camera.scale < MIN_WIDTH) {
    return;
  }
  const { x, y } = signOf(layout, id);
  const radius = radiusOf(camera);
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = palette.card;
  context.fill();
  context.strokeStyle = palette.borderStrong;
  context.lineWidth = 0.15 * radius;
  context.stroke();
  context.beginPath();
  context.moveTo(x - radius / 2, y);
  context.lineTo(x + radius / 2, y);
  if (!scene.frames.has(id)) {
    context.moveTo(x, y - radius / 2);
    context.lineTo(x, y + radius / 2);
  }
  context.strokeStyle = palette.text;
  context.lineWidth = 0.2 * radius;
  context.stroke();
}
