/** The sign at the corner of a sublattice: a plus where it can be unfolded, a minus where it is. */

import type { ILayout } from '../../graph/layout';
import type { ICamera } from '../../graph/visible';
import type { IScene } from './scene';

const RADIUS = 8;
/** Pixels on the screen around its centre that a click may miss by. */
const SLACK = 3;
/** Smaller on the screen, it is neither painted nor clicked. */
const MIN_PIXELS = 4;

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
  const radius = RADIUS * camera.scale;
  if (radius < MIN_PIXELS || layout.nodeWidth[id] === 0) {
    return false;
  }
  const sign = signOf(layout, id);
  const dx = (sign.x - camera.x) * camera.scale - at.x;
  const dy = (sign.y - camera.y) * camera.scale - at.y;
  return Math.hypot(dx, dy) <= radius + SLACK;
}

/** Paints it, if the node is a sublattice that became a dispatch. */
export function paintFoldSign(context: CanvasRenderingContext2D, scene: IScene, id: number): void {
  const { layout, palette, camera } = scene;
  if (!scene.foldable.has(id) || RADIUS * camera.scale < MIN_PIXELS) {
    return;
  }
  const { x, y } = signOf(layout, id);
  context.beginPath();
  context.arc(x, y, RADIUS, 0, 2 * Math.PI);
  context.fillStyle = palette.card;
  context.fill();
  context.strokeStyle = palette.borderStrong;
  context.lineWidth = 1.2;
  context.stroke();
  context.beginPath();
  context.moveTo(x - 4, y);
  context.lineTo(x + 4, y);
  if (!scene.frames.has(id)) {
    context.moveTo(x, y - 4);
    context.lineTo(x, y + 4);
  }
  context.strokeStyle = palette.text;
  context.lineWidth = 1.6;
  context.stroke();
}
