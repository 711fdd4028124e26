/** Paints the frame around the nodes of an unfolded sublattice: its name and how it stands, above them. */

import { FRAME_HEAD } from '../../graph/nesting';
import { statusName } from '../../graph/states';
import { elapsed, formatDuration, nodeWord, statusTone } from '../../graph/style';
import { drawStatusGlyph } from './glyphs';
import type { IScene } from './scene';

const RADIUS = 12;
const INSET = 14;
const SIGN = 8;
const LABEL_SIZE = 13;
const TOLD_SIZE = 11;
/** Pixels; lower text is not painted. */
const READABLE = 5;
const TINT = 0.05;

/** Paints those in view; what is inside comes on top, so frames around frames are painted first. */
export function paintFrames(
  context: CanvasRenderingContext2D,
  scene: IScene,
  ids: readonly number[]
): void {
  for (const id of ids) {
    paintFrame(context, scene, id);
  }
}

function paintFrame(context: CanvasRenderingContext2D, scene: IScene, id: number): void {
  const { layout, palette, states, camera } = scene;
  const [width, height] = [layout.nodeWidth[id], layout.nodeHeight[id]];
  const [left, top] = [layout.x[id] - width / 2, layout.y[id] - height / 2];
  const colour = palette.status[statusTone(statusName(states.status[id]))];
  const isSelected = id === scene.selected;
  context.beginPath();
  context.roundRect(left, top, width, height, RADIUS);
  context.fillStyle = palette.background;
  context.fill();
  context.globalAlpha = TINT;
  context.fillStyle = colour;
  context.fill();
  context.globalAlpha = isSelected || id === scene.hovered ? 1 : 0.7;
  context.strokeStyle = isSelected || id === scene.hovered ? palette.brand : colour;
  context.lineWidth = Math.max(isSelected ? 2.4 : 1.4, 1 / camera.scale);
  context.stroke();
  context.globalAlpha = 1;
  if (LABEL_SIZE * camera.scale >= READABLE) {
    paintHead(context, scene, id, left + INSET, top + FRAME_HEAD / 2, width - 2 * INSET);
  }
}

function paintHead(
  context: CanvasRenderingContext2D,
  scene: IScene,
  id: number,
  left: number,
  y: number,
  room: number
): void {
  const { palette, structure, states, fitter, texts } = scene;
  const phase = scene.hasMotion ? scene.now : 0;
  const tone = statusTone(statusName(states.status[id]));
  drawStatusGlyph(context, tone, left + SIGN, y, SIGN, palette, phase);
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.fillStyle = palette.text;
  context.font = `600 ${LABEL_SIZE}px ${palette.font}`;
  const textLeft = left + 2 * SIGN + 8;
  const label = fitter.cut(context, structure.labels[id], 0.6 * room);
  context.fillText(label, textLeft, y);
  const rest = room - (textLeft - left) - context.measureText(label).width - 12;
  const seconds = elapsed(states.startedAt[id], states.endedAt[id], scene.now);
  const time = seconds === null ? '' : ` · ${formatDuration(seconds)}`;
  const node = scene.nodeOf(id);
  context.font = `${TOLD_SIZE}px ${palette.font}`;
  context.fillStyle = palette.textMuted;
  context.textAlign = 'right';
  const told = `${nodeWord(states, id, texts)}${time}${node === null ? '' : ` · #${node}`}`;
  context.fillText(fitter.cut(context, told, Math.max(0, rest)), left + room, y);
}
