/** Paints one node: a card, a list or the pill of a value, with as much on it as its size on the screen allows. */

import { isGoingOn, statusName } from '../../graph/states';
import { elapsed, formatDuration, kindWord, nodeWord, statusTone } from '../../graph/style';
import { detailOf } from '../../graph/visible';
import { drawKindGlyph, drawStatusGlyph } from './glyphs';
import type { IScene } from './scene';
import { paintCounts, paintPile, stackText } from './stackcard';

/** How strongly the colour of a status fills a card. */
const TINT: Readonly<Record<string, number>> = {
  cancelled: 0.06,
  failed: 0.16,
  running: 0.15,
  dispatching: 0.15
};
/** Text is drawn this high on the screen, if the card is high enough for it. */
const LABEL_PIXELS = 11;
const KIND_SIZE = 12;

/** Whether a node is so small that only its colour is painted. */
export function isFlat(scene: IScene, id: number): boolean {
  const { layout, camera } = scene;
  const detail = detailOf(
    layout.nodeWidth[id] * camera.scale,
    layout.nodeHeight[id] * camera.scale
  );
  return detail === 'dot' || detail === 'box';
}

/** Paints small nodes, all of one colour at once: there may be ten thousand of them. */
export function paintFlat(
  context: CanvasRenderingContext2D,
  scene: IScene,
  ids: readonly number[]
): void {
  const { layout, palette, states, structure } = scene;
  const all = new Path2D();
  const byTone = new Map<string, Path2D>();
  for (const id of ids) {
    const isValue = structure.kinds[id] === 'parameter' || !scene.isLive;
    const tone = isValue ? 'value' : statusTone(statusName(states.status[id]));
    let path = byTone.get(tone);
    if (path === undefined) {
      path = new Path2D();
      byTone.set(tone, path);
    }
    const width = layout.nodeWidth[id];
    const height = layout.nodeHeight[id];
    all.rect(layout.x[id] - width / 2, layout.y[id] - height / 2, width, height);
    path.rect(layout.x[id] - width / 2, layout.y[id] - height / 2, width, height);
  }
  context.fillStyle = palette.card;
  context.fill(all);
  for (const [tone, path] of byTone) {
    context.globalAlpha = tone === 'pending' || tone === 'value' ? 0.4 : 0.85;
    context.fillStyle = tone === 'value' ? palette.borderStrong : palette.status[tone];
    context.fill(path);
  }
  context.globalAlpha = 1;
  if (ids.includes(scene.selected)) {
    const id = scene.selected;
    const [width, height] = [layout.nodeWidth[id], layout.nodeHeight[id]];
    const [left, top] = [layout.x[id] - width / 2, layout.y[id] - height / 2];
    outlineSelected(context, scene, id, left, top, width, height, 0);
  }
}

/** Paints the node with this id, which is not flat. */
export function paintCard(context: CanvasRenderingContext2D, scene: IScene, id: number): void {
  const { layout, palette, states, structure, camera } = scene;
  const tone = scene.isLive ? statusTone(statusName(states.status[id])) : 'pending';
  const width = layout.nodeWidth[id];
  const height = layout.nodeHeight[id];
  const left = layout.x[id] - width / 2;
  const top = layout.y[id] - height / 2;
  const isPill = structure.kinds[id] === 'parameter';
  const colour = isPill || !scene.isLive ? palette.borderStrong : palette.status[tone];
  const detail = detailOf(width * camera.scale, height * camera.scale);
  const radius = isPill ? height / 2 : Math.min(9, height * 0.24);
  if (scene.counts?.has(id)) {
    paintPile(context, scene, id, radius);
  }
  context.beginPath();
  context.roundRect(left, top, width, height, radius);
  paintBody(context, scene, id, tone, colour, isPill);
  outlineSelected(context, scene, id, left, top, width, height, radius);
  if (scene.isLive && !isPill) {
    paintCounts(context, scene, id);
  }
  if (isPill) {
    paintPillText(context, scene, id);
  } else if (detail === 'sign') {
    const size = Math.min(width, height) * 0.36;
    if (scene.isLive) {
      sign(context, scene, id, layout.x[id], layout.y[id], size);
    }
  } else {
    paintCardText(context, scene, id, tone, detail === 'full');
  }
}

function paintBody(
  context: CanvasRenderingContext2D,
  scene: IScene,
  id: number,
  tone: string,
  colour: string,
  isPill: boolean
): void {
  const { palette } = scene;
  context.fillStyle = isPill ? palette.cardMuted : palette.card;
  context.fill();
  if (!isPill && scene.isLive && tone !== 'pending') {
    context.globalAlpha = TINT[tone] ?? 0.09;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
  }
  const isCalm = isPill || !scene.isLive || tone === 'pending' || tone === 'cancelled';
  context.strokeStyle = isCalm ? palette.border : colour;
  const isBusy = tone === 'running' || tone === 'dispatching';
  context.lineWidth = isBusy && !isCalm ? 1.8 : 1.2;
  context.globalAlpha = isCalm ? 1 : tone === 'completed' ? 0.55 : 0.9;
  if (tone === 'pending' && scene.isLive && !isPill) {
    context.setLineDash([4, 3]);
  }
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
  if (isBusy && scene.isLive && scene.hasMotion && !isPill) {
    const pulse = (scene.now % 1.6) / 1.6;
    context.globalAlpha = 0.5 * (1 - pulse);
    context.lineWidth = 1.5 + 6 * pulse;
    context.stroke();
    context.globalAlpha = 1;
  }
  if (id === scene.hovered) {
    context.strokeStyle = palette.brand;
    context.lineWidth = 1.4;
    context.stroke();
  }
}

function outlineSelected(
  context: CanvasRenderingContext2D,
  scene: IScene,
  id: number,
  left: number,
  top: number,
  width: number,
  height: number,
  radius: number
): void {
  if (id !== scene.selected) {
    return;
  }
  context.strokeStyle = scene.palette.brand;
  context.lineWidth = Math.max(2.4, 2 / scene.camera.scale);
  context.beginPath();
  context.roundRect(left - 3, top - 3, width + 6, height + 6, radius + 3);
  context.stroke();
}

function paintPillText(context: CanvasRenderingContext2D, scene: IScene, id: number): void {
  const { layout, palette, camera, fitter } = scene;
  if (layout.nodeHeight[id] * camera.scale < 9) {
    return;
  }
  context.font = `11px ${palette.monospace}`;
  context.fillStyle = palette.textMuted;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const text = fitter.cut(context, scene.structure.labels[id], layout.nodeWidth[id] - 16);
  context.fillText(text, layout.x[id], layout.y[id] + 0.5);
}

function paintCardText(
  context: CanvasRenderingContext2D,
  scene: IScene,
  id: number,
  tone: string,
  hasRoomForTwo: boolean
): void {
  const { layout, palette, structure, camera, fitter } = scene;
  const width = layout.nodeWidth[id];
  const height = layout.nodeHeight[id];
  const left = layout.x[id] - width / 2;
  const y = layout.y[id];
  const radius = scene.isLive ? height * 0.2 : 0;
  const padding = height * 0.19;
  let textLeft = left + (scene.isLive ? padding : 12);
  if (scene.isLive) {
    sign(context, scene, id, textLeft + radius, y, radius);
    textLeft += 2 * radius + padding;
  }
  const room = left + width - padding * 0.8 - textLeft;
  const hasTwoLines = hasRoomForTwo && height >= 32;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillStyle = palette.text;
  if (hasTwoLines) {
    const isTall = height >= 40;
    context.font = `600 ${isTall ? 12.5 : 11}px ${palette.font}`;
    const icon = isTall ? KIND_SIZE : KIND_SIZE * 0.85;
    const label = fitter.cut(context, structure.labels[id], room - icon - 5);
    context.fillText(label, textLeft, y - height * 0.175);
    const right = textLeft + room;
    drawKindGlyph(
      context,
      structure.kinds[id],
      right - icon / 2,
      y - height * 0.175,
      icon,
      palette.textMuted
    );
    context.font = `${isTall ? 11 : 9.5}px ${palette.font}`;
    context.fillStyle = tone === 'failed' ? palette.status.failed : palette.textMuted;
    const told = subtitle(context, scene, id, room - widthOfNumber(context, scene, id));
    context.fillText(told, textLeft, y + height * 0.2);
    context.fillStyle = palette.textMuted;
    context.textAlign = 'right';
    const free = room - (told === '' ? 0 : context.measureText(told).width + 8);
    context.fillText(placeOf(context, scene, id, free), right, y + height * 0.2);
    return;
  }
  const smallest = height * 0.36;
  const wanted = Math.min(height * 0.43, Math.max(smallest, LABEL_PIXELS / camera.scale));
  const useFont = (size: number) =>
    (context.font = `${height < 40 ? 500 : 600} ${size.toFixed(1)}px ${palette.font}`);
  useFont(wanted);
  if (!fitter.fits(context, structure.labels[id], room)) {
    useFont(smallest);
  }
  context.fillText(oneLine(context, scene, id, tone, room), textLeft, y + height * 0.017);
}

/** The label; with the time, or only the time, while the node runs: that is what one looks for then. */
function oneLine(
  context: CanvasRenderingContext2D,
  scene: IScene,
  id: number,
  tone: string,
  room: number
): string {
  const { states, structure, fitter } = scene;
  const label = structure.labels[id];
  const time = elapsed(states.startedAt[id], states.endedAt[id], scene.now);
  if (tone !== 'running' || !scene.isLive || time === null) {
    return fitter.cut(context, label, room);
  }
  const clock = formatDuration(Math.floor(time));
  const both = `${label} · ${clock}`;
  return fitter.fits(context, both, room) ? both : fitter.cut(context, clock, room);
}

function sign(
  context: CanvasRenderingContext2D,
  scene: IScene,
  id: number,
  x: number,
  y: number,
  radius: number
): void {
  const { states, hasMotion, now } = scene;
  const status = statusTone(statusName(states.status[id]));
  const tone = status === 'completed' && states.reused[id] === 1 ? 'reused' : status;
  const phase = hasMotion ? now : 0;
  drawStatusGlyph(context, tone, x, y, radius, scene.palette, phase);
}

/** The left of the second line: status and time; of a stack how many are done. */
function subtitle(
  context: CanvasRenderingContext2D,
  scene: IScene,
  id: number,
  room: number
): string {
  const { structure, states, texts, fitter } = scene;
  const counts = scene.counts?.get(id);
  if (!scene.isLive) {
    const kind = structure.kinds[id];
    const isTold = kind === 'sublattice' || kind === 'postprocess';
    return isTold ? fitter.cut(context, kindWord(kind, texts), room) : '';
  }
  if (counts !== undefined) {
    return fitter.cut(context, stackText(counts, texts), room);
  }
  const status = statusName(states.status[id]);
  const word = nodeWord(states, id, texts);
  const seconds = elapsed(states.startedAt[id], states.endedAt[id], scene.now);
  const hasTime = seconds !== null && status !== 'NEW_OBJECT' && status !== 'STARTING';
  if (!hasTime || states.reused[id] === 1) {
    return fitter.cut(context, word, room);
  }
  const isTicking = isGoingOn(states.status[id]) && seconds >= 1;
  const time = formatDuration(isTicking ? Math.floor(seconds * 10) / 10 : seconds);
  const both = `${word} · ${time}`;
  if (fitter.fits(context, both, room)) {
    return both;
  }
  return fitter.cut(context, status === 'FAILED' ? word : time, room);
}

/** The id is the last to go: what stands before it leaves room. */
function widthOfNumber(context: CanvasRenderingContext2D, scene: IScene, id: number): number {
  const node = scene.nodeOf(id);
  return node === null ? 0 : context.measureText(`#${node}`).width + 8;
}

/** The right of the second line: executor and id, or the one of them that there is room for. */
function placeOf(
  context: CanvasRenderingContext2D,
  scene: IScene,
  id: number,
  room: number
): string {
  const node = scene.nodeOf(id);
  const number = node === null ? '' : `#${node}`;
  const executor = scene.structure.executors[id];
  const both = `${executor} ${number}`.trim();
  return [both, number].find(text => text !== '' && scene.fitter.fits(context, text, room)) ?? '';
}
