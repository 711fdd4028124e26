/** Paints one frame of a graph on a canvas. Holds no state; everything comes in the scene. */

import type { ILayout } from '../../graph/layout';
import type { INodeStates } from '../../graph/states';
import { RUNNING, statusName } from '../../graph/states';
import type { IGraphStructure } from '../../graph/structure';
import type { ITexts } from '../../graph/style';
import { elapsed, formatDuration, statusTone, statusWord } from '../../graph/style';
import type { Detail, ICamera, ISize } from '../../graph/visible';
import { detailAt, edgesInView, nodesInView, viewOf } from '../../graph/visible';
import { drawStatusGlyph } from './glyphs';
import type { IPalette } from './palette';

/** Everything a frame shows. */
export interface IScene {
  readonly structure: IGraphStructure;
  readonly layout: ILayout;
  readonly states: INodeStates;
  readonly camera: ICamera;
  readonly size: ISize;
  readonly palette: IPalette;
  readonly texts: ITexts;
  readonly selected: number;
  readonly hovered: number;
  readonly showEdgeLabels: boolean;
  /** Without run-time state (a preview), nodes have neither signs nor times. */
  readonly isLive: boolean;
  readonly hasMotion: boolean;
  /** POSIX seconds. */
  readonly now: number;
}

/** What the painter found, for the one who schedules frames. */
export interface IFrameReport {
  readonly hasRunning: boolean;
}

const EDGE_LABEL_SCALE = 0.7;
const MANY_EDGES = 2500;
const EDGES_BEFORE_FADING = 120;

/** Paints the scene; the context is scaled to CSS pixels. */
export function paintScene(context: CanvasRenderingContext2D, scene: IScene): IFrameReport {
  const { camera, size, layout, palette } = scene;
  context.fillStyle = palette.background;
  context.fillRect(0, 0, size.width, size.height);
  context.save();
  context.scale(camera.scale, camera.scale);
  context.translate(-camera.x, -camera.y);
  const view = viewOf(camera, size);
  const detail = detailAt(camera.scale);
  paintEdges(context, scene, edgesInView(layout, view), detail);
  let hasRunning = false;
  for (const id of nodesInView(layout, view)) {
    hasRunning = hasRunning || scene.states.status[id] === RUNNING;
    paintNode(context, scene, id, detail);
  }
  context.restore();
  return { hasRunning: hasRunning && scene.isLive };
}

function paintEdges(
  context: CanvasRenderingContext2D,
  scene: IScene,
  visible: readonly number[],
  detail: Detail
): void {
  const { structure, layout, palette, camera, selected } = scene;
  const isDense = visible.length > MANY_EDGES;
  const fade = Math.max(0.12, Math.min(1, Math.sqrt(EDGES_BEFORE_FADING / visible.length)));
  context.lineWidth = Math.max(1.3, 0.6 / camera.scale);
  context.strokeStyle = palette.edge;
  const strong: number[] = [];
  for (const isWait of [0, 1]) {
    context.globalAlpha = (selected >= 0 ? 0.32 : 0.75) * fade;
    context.setLineDash(isWait === 1 ? [5, 5] : []);
    context.beginPath();
    for (const edge of visible) {
      const id = layout.edges[edge];
      if (structure.isWait[id] !== isWait) {
        continue;
      }
      if (structure.source[id] === selected || structure.target[id] === selected) {
        strong.push(edge);
      } else {
        traceEdge(context, layout, edge);
      }
    }
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
  if (!isDense && detail !== 'dot' && detail !== 'box') {
    context.fillStyle = palette.edge;
    context.globalAlpha = selected >= 0 ? 0.4 : 0.85;
    context.beginPath();
    visible.forEach(edge => traceArrow(context, layout, edge));
    context.fill();
    context.globalAlpha = 1;
  }
  for (const edge of strong) {
    const isOut = structure.source[layout.edges[edge]] === selected;
    context.strokeStyle = context.fillStyle = isOut ? palette.outgoing : palette.incoming;
    context.lineWidth = Math.max(2.2, 1.4 / camera.scale);
    context.beginPath();
    traceEdge(context, layout, edge);
    context.stroke();
    context.beginPath();
    traceArrow(context, layout, edge);
    context.fill();
  }
  if (scene.showEdgeLabels && camera.scale >= EDGE_LABEL_SCALE) {
    visible.forEach(edge => paintEdgeLabel(context, scene, edge));
  }
}

/** A smooth line through the points, leaving and entering along the direction of the layout. */
function traceEdge(context: CanvasRenderingContext2D, layout: ILayout, edge: number): void {
  const { points, pointStart } = layout;
  const first = pointStart[edge];
  let x = points[2 * first];
  let y = points[2 * first + 1];
  context.moveTo(x, y);
  for (let point = first + 1; point < pointStart[edge + 1]; point += 1) {
    const toX = points[2 * point];
    const toY = points[2 * point + 1];
    if (layout.orientation === 'right') {
      const bend = Math.max(10, Math.abs(toX - x) * 0.5);
      context.bezierCurveTo(x + bend, y, toX - bend, toY, toX, toY);
    } else {
      const bend = Math.max(10, Math.abs(toY - y) * 0.5);
      context.bezierCurveTo(x, y + bend, toX, toY - bend, toX, toY);
    }
    x = toX;
    y = toY;
  }
}

function traceArrow(context: CanvasRenderingContext2D, layout: ILayout, edge: number): void {
  const last = layout.pointStart[edge + 1] - 1;
  const x = layout.points[2 * last];
  const y = layout.points[2 * last + 1];
  context.moveTo(x, y);
  if (layout.orientation === 'right') {
    context.lineTo(x - 7, y - 4);
    context.lineTo(x - 7, y + 4);
  } else {
    context.lineTo(x + 4, y - 7);
    context.lineTo(x - 4, y - 7);
  }
  context.closePath();
}

function paintEdgeLabel(context: CanvasRenderingContext2D, scene: IScene, edge: number): void {
  const { structure, layout, palette } = scene;
  const text = structure.edgeLabels[layout.edges[edge]];
  if (text === '') {
    return;
  }
  const last = layout.pointStart[edge + 1] - 1;
  const x = (layout.points[2 * last] + layout.points[2 * (last - 1)]) / 2;
  const y = (layout.points[2 * last + 1] + layout.points[2 * (last - 1) + 1]) / 2;
  context.font = `10px ${palette.monospace}`;
  const shown = shorten(context, text, 110);
  const width = context.measureText(shown).width + 8;
  context.globalAlpha = 0.92;
  context.fillStyle = palette.background;
  context.beginPath();
  context.roundRect(x - width / 2, y - 8, width, 16, 4);
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = palette.textMuted;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(shown, x, y + 0.5);
}

function paintNode(
  context: CanvasRenderingContext2D,
  scene: IScene,
  id: number,
  detail: Detail
): void {
  const { layout, palette, states, structure } = scene;
  const tone = scene.isLive ? statusTone(statusName(states.status[id])) : 'pending';
  const width = layout.nodeWidth[id];
  const height = layout.nodeHeight[id];
  const left = layout.x[id] - width / 2;
  const top = layout.y[id] - height / 2;
  const kind = structure.kinds[id];
  const isPill = kind === 'parameter';
  const colour = isPill || !scene.isLive ? palette.borderStrong : palette.status[tone];
  if (detail === 'dot') {
    context.globalAlpha = tone === 'pending' ? 0.45 : 1;
    context.fillStyle = colour;
    context.fillRect(left, top, width, height);
    context.globalAlpha = 1;
    return;
  }
  const radius = isPill ? height / 2 : 9;
  context.beginPath();
  context.roundRect(left, top, width, height, radius);
  if (detail === 'box') {
    context.fillStyle = palette.card;
    context.fill();
    context.globalAlpha = tone === 'pending' || isPill ? 0.35 : 0.85;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
    outlineSelected(context, scene, id, left, top, width, height, radius);
    return;
  }
  paintBody(context, scene, id, tone, colour, isPill);
  outlineSelected(context, scene, id, left, top, width, height, radius);
  if (isPill) {
    paintPillText(context, scene, id);
  } else {
    paintCardText(context, scene, id, tone, detail);
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
    context.globalAlpha = tone === 'cancelled' ? 0.05 : 0.09;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
  }
  const isCalm = isPill || !scene.isLive || tone === 'pending' || tone === 'cancelled';
  context.strokeStyle = isCalm ? palette.border : colour;
  context.lineWidth = tone === 'running' && !isCalm ? 1.8 : 1.2;
  context.globalAlpha = isCalm ? 1 : tone === 'completed' ? 0.55 : 0.9;
  if (tone === 'pending' && scene.isLive && !isPill) {
    context.setLineDash([4, 3]);
  }
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
  if (tone === 'running' && scene.isLive && scene.hasMotion && !isPill) {
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
  const { layout, palette } = scene;
  context.font = `11px ${palette.monospace}`;
  context.fillStyle = palette.textMuted;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const text = shorten(context, scene.structure.labels[id], layout.nodeWidth[id] - 16);
  context.fillText(text, layout.x[id], layout.y[id] + 0.5);
}

function paintCardText(
  context: CanvasRenderingContext2D,
  scene: IScene,
  id: number,
  tone: string,
  detail: Detail
): void {
  const { layout, palette, structure } = scene;
  const width = layout.nodeWidth[id];
  const left = layout.x[id] - width / 2;
  const y = layout.y[id];
  const isSmall = width < 120;
  const glyph = scene.isLive ? (isSmall ? 7 : 10) : 0;
  let textLeft = left + 12;
  if (scene.isLive) {
    drawStatusGlyph(
      context,
      tone,
      left + 9 + glyph,
      y,
      glyph,
      palette,
      scene.hasMotion ? scene.now : 0
    );
    textLeft = left + 2 * glyph + (isSmall ? 15 : 19);
  }
  const room = left + width - 10 - textLeft;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillStyle = palette.text;
  const hasTwoLines = detail === 'full' && !isSmall;
  context.font = `${isSmall ? 500 : 600} ${detail === 'full' ? 12.5 : 15}px ${palette.font}`;
  const label = shorten(context, structure.labels[id], room);
  context.fillText(label, textLeft, hasTwoLines ? y - 8 : y + 0.5);
  if (hasTwoLines) {
    context.font = `11px ${palette.font}`;
    context.fillStyle = tone === 'failed' ? palette.status.failed : palette.textMuted;
    context.fillText(shorten(context, subtitle(scene, id), room), textLeft, y + 9);
  }
}

/** The second line of a card: status and time while and after it runs, kind and executor before. */
function subtitle(scene: IScene, id: number): string {
  const { structure, states, texts } = scene;
  const status = statusName(states.status[id]);
  if (!scene.isLive) {
    return kindWord(structure.kinds[id], texts) || structure.executors[id];
  }
  const time = elapsed(states.startedAt[id], states.endedAt[id], scene.now);
  const word = statusWord(status, texts);
  if (time !== null && status !== 'NEW_OBJECT' && status !== 'STARTING') {
    return `${word} · ${formatDuration(status === 'RUNNING' && time >= 1 ? Math.floor(time * 10) / 10 : time)}`;
  }
  return structure.executors[id] === '' ? word : `${word} · ${structure.executors[id]}`;
}

function kindWord(kind: string, texts: ITexts): string {
  switch (kind) {
    case 'sublattice':
      return texts.__('sublattice');
    case 'postprocess':
      return texts.__('postprocess');
    default:
      return '';
  }
}

/** Cuts text to a width, with an ellipsis. */
function shorten(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) {
    return text;
  }
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`${text.slice(0, middle)}…`).width <= width) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return `${text.slice(0, low)}…`;
}
