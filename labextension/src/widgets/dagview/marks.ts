/** Paints what is different about a node: an outline and a sign at its corner. */

import { MARK_SIGNS } from '../../graph/marks';
import type { IScene } from './scene';

/** Pixels on the screen. */
const OUTLINE = 2;
const GAP = 2;
/** World units and pixels that keep it clear of the outline of what is selected. */
const SELECTED_GAP = 3;
const SIGN_RADIUS = 8.5;
/** Narrower nodes have only the outline. */
const MIN_WIDTH = 12;

/** Paints the mark of a node, if it has one; that of a node which only one graph has is dashed. */
export function paintMark(context: CanvasRenderingContext2D, scene: IScene, id: number): void {
  const { layout, palette, camera } = scene;
  const mark = scene.marks?.get(id);
  if (mark === undefined) {
    return;
  }
  const pixel = 1 / camera.scale;
  const gap = GAP * pixel + (id === scene.selected ? SELECTED_GAP * (1 + pixel) : 0);
  const width = layout.nodeWidth[id] + 2 * gap;
  const height = layout.nodeHeight[id] + 2 * gap;
  const left = layout.x[id] - width / 2;
  const top = layout.y[id] - height / 2;
  context.strokeStyle = palette.mark;
  context.lineWidth = OUTLINE * pixel;
  context.setLineDash(mark === 'differs' ? [] : [6 * pixel, 4 * pixel]);
  context.beginPath();
  context.roundRect(left, top, width, height, Math.min(10, height * 0.25));
  context.stroke();
  context.setLineDash([]);
  if (width * camera.scale < MIN_WIDTH) {
    return;
  }
  const radius = Math.min(SIGN_RADIUS * pixel, height * 0.4);
  context.fillStyle = palette.card;
  context.beginPath();
  context.arc(left, top, radius, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
  context.font = `700 ${1.5 * radius}px ${palette.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillStyle = palette.text;
  context.fillText(MARK_SIGNS[mark], left, top + radius * 0.08);
}
