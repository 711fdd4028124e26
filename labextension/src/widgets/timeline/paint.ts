/** Paints one frame of a timeline: the axis, and for each executor its nodes or how busy it was. Holds no state. */

import type { ILane, ISpan } from '../../graph/lanes';
import { LANE_HEAD, loadOf, ROW, ticksIn } from '../../graph/lanes';
import type { INodeStates } from '../../graph/states';
import { FAILED, statusName } from '../../graph/states';
import type { IGraphStructure } from '../../graph/structure';
import type { ITexts } from '../../graph/style';
import { statusTone } from '../../graph/style';
import type { IBar, ITimeline } from '../../graph/timeline';
import { endOf, lastStart, waitsOf } from '../../graph/timeline';
import type { ISize } from '../../graph/visible';
import type { IFrame } from '../dagview/screen';
import type { TextFitter } from '../dagview/text';

/** Everything that a frame shows. */
export interface ITimelineScene {
  readonly structure: IGraphStructure;
  readonly states: INodeStates;
  readonly timeline: ITimeline;
  readonly critical: ReadonlySet<number>;
  readonly lanes: readonly ILane[];
  readonly span: ISpan;
  /** Pixels that the lanes are scrolled up. */
  readonly scroll: number;
  readonly size: ISize;
  readonly selected: number;
  readonly hovered: number;
  readonly texts: ITexts;
  readonly fitter: TextFitter;
}

/** Height of the axis. */
export const AXIS = 26;
/** Free space left and right. */
export const PADDING = 14;
const WAIT_HEIGHT = 6;
const BAR_INSET = 3;
const MIN_WIDTH = 2;
/** Between the lines over what failed. */
const HATCH = 6;
const LABEL_ROOM = 46;
const OUTSIDE_ROOM = 180;
const PART_PIXELS = 3;
const AREA_GAP = 14;

/** The place of a time on the screen. */
export function xOf(span: ISpan, width: number, time: number): number {
  const share = (time - span.from) / Math.max(1e-6, span.to - span.from);
  return PADDING + share * (width - 2 * PADDING);
}

/** The time at a place on the screen. */
export function timeAt(span: ISpan, width: number, x: number): number {
  return span.from + ((x - PADDING) / Math.max(1, width - 2 * PADDING)) * (span.to - span.from);
}

/** Paints the frame. */
export function paintTimeline(frame: IFrame, scene: ITimelineScene): void {
  const { context, palette } = frame;
  const { size } = scene;
  context.fillStyle = palette.background;
  context.fillRect(0, 0, size.width, size.height);
  paintAxis(frame, scene);
  context.save();
  context.beginPath();
  context.rect(0, AXIS, size.width, size.height - AXIS);
  context.clip();
  context.translate(0, AXIS - scene.scroll);
  for (const lane of scene.lanes) {
    if (lane.top - scene.scroll < size.height && lane.top + lane.height >= scene.scroll) {
      paintLane(frame, scene, lane);
    }
  }
  context.restore();
}

function paintAxis({ context, palette }: IFrame, scene: ITimelineScene): void {
  const { size, span, timeline } = scene;
  context.font = `11px ${palette.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineWidth = 1;
  for (const tick of ticksIn(span, timeline.from, size.width)) {
    const x = Math.round(xOf(span, size.width, timeline.from + tick.at)) + 0.5;
    context.strokeStyle = palette.border;
    context.globalAlpha = 0.5;
    context.beginPath();
    context.moveTo(x, AXIS - 4);
    context.lineTo(x, size.height);
    context.stroke();
    context.globalAlpha = 1;
    context.fillStyle = palette.textMuted;
    context.fillText(tick.label, x, AXIS / 2 - 1);
  }
}

function paintLane(frame: IFrame, scene: ITimelineScene, lane: ILane): void {
  const { context, palette } = frame;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillStyle = palette.text;
  context.font = `600 12px ${palette.font}`;
  const name = lane.name === '' ? '–' : lane.name;
  context.fillText(name, PADDING, lane.top + LANE_HEAD / 2);
  const indent = context.measureText(name).width + 8;
  context.font = `11px ${palette.font}`;
  context.fillStyle = palette.textMuted;
  const told = scene.texts._n('%1 node', '%1 nodes', lane.count);
  context.fillText(told, PADDING + indent, lane.top + LANE_HEAD / 2);
  if (lane.rows === null) {
    paintLoad(frame, scene, lane);
  } else {
    lane.rows.forEach((bar, row) => paintBar(frame, scene, bar, lane.top + LANE_HEAD + row * ROW));
  }
}

function paintBar(frame: IFrame, scene: ITimelineScene, bar: IBar, top: number): void {
  const { context, palette, now } = frame;
  const { size, span, scroll } = scene;
  if (top + ROW < scroll || top > scroll + size.height) {
    return;
  }
  const at = (time: number) =>
    Math.max(-PADDING, Math.min(size.width + PADDING, xOf(span, size.width, time)));
  const middle = top + ROW / 2;
  if (bar.id === scene.selected || bar.id === scene.hovered) {
    context.globalAlpha = bar.id === scene.selected ? 0.16 : 0.07;
    context.fillStyle = palette.brand;
    context.fillRect(0, top, size.width, ROW);
    context.globalAlpha = 1;
  }
  context.fillStyle = palette.status.queued;
  context.globalAlpha = 0.45;
  for (const [from, to] of waitsOf(bar, now)) {
    context.fillRect(at(from), middle - WAIT_HEIGHT / 2, at(to) - at(from), WAIT_HEIGHT);
  }
  context.globalAlpha = 1;
  for (const attempt of bar.earlier) {
    const from = at(attempt.startedAt);
    paintRun(frame, 'failed', from, Math.max(from + MIN_WIDTH, at(attempt.endedAt)), top);
  }
  const start = at(lastStart(bar, now));
  let end = start;
  if (!Number.isNaN(bar.startedAt)) {
    end = Math.max(start + MIN_WIDTH, at(endOf(bar, now)));
    const tone = statusTone(statusName(scene.states.status[bar.id]));
    const outline = paintRun(frame, tone, start, end, top);
    if (scene.critical.has(bar.id)) {
      context.strokeStyle = palette.text;
      context.lineWidth = 1.8;
      context.stroke(outline);
    }
  }
  paintLabel(frame, scene, bar, start, end, middle);
}

/** One attempt from its start to its end; a failed one is hatched. Returns its outline. */
function paintRun(
  { context, palette }: IFrame,
  tone: string,
  start: number,
  end: number,
  top: number
): Path2D {
  const height = ROW - 2 * BAR_INSET;
  const outline = new Path2D();
  outline.roundRect(start, top + BAR_INSET, end - start, height, 3);
  context.fillStyle = palette.status[tone];
  context.globalAlpha = 0.8;
  context.fill(outline);
  context.globalAlpha = 1;
  if (tone === 'failed') {
    context.save();
    context.clip(outline);
    context.strokeStyle = palette.background;
    context.lineWidth = 1.6;
    context.beginPath();
    for (let x = start - height; x < end; x += HATCH) {
      context.moveTo(x, top + BAR_INSET + height);
      context.lineTo(x + height, top + BAR_INSET);
    }
    context.stroke();
    context.restore();
  }
  return outline;
}

/** The label on the bar, or beside it where it is too short or hatched. */
function paintLabel(
  { context, palette }: IFrame,
  scene: ITimelineScene,
  bar: IBar,
  start: number,
  end: number,
  middle: number
): void {
  const label = scene.structure.labels[bar.id];
  const left = Math.max(PADDING, start);
  const inside = Math.min(scene.size.width, end) - left - 10;
  context.font = `11px ${palette.font}`;
  const isHatched = scene.states.status[bar.id] === FAILED;
  if (inside >= LABEL_ROOM && !isHatched) {
    context.fillStyle = palette.onStatus;
    context.fillText(scene.fitter.cut(context, label, inside), left + 5, middle + 0.5);
    return;
  }
  const room = scene.size.width - end - 10;
  if (end >= 0 && room > LABEL_ROOM) {
    context.fillStyle = palette.textMuted;
    const text = scene.fitter.cut(context, label, Math.min(OUTSIDE_ROOM, room));
    context.fillText(text, end + 6, middle + 0.5);
  } else if (end > PADDING && start - OUTSIDE_ROOM > 0) {
    context.fillStyle = palette.textMuted;
    context.textAlign = 'right';
    context.fillText(scene.fitter.cut(context, label, OUTSIDE_ROOM), start - 6, middle + 0.5);
    context.textAlign = 'left';
  }
}

/** How many ran, and above that how many waited, each with a scale of its own. */
function paintLoad(frame: IFrame, scene: ITimelineScene, lane: ILane): void {
  const { context, palette } = frame;
  const width = scene.size.width - 2 * PADDING;
  const parts = Math.max(1, Math.floor(width / PART_PIXELS));
  const load = loadOf(scene.timeline, lane.name, scene.span, parts, frame.now);
  const top = lane.top + LANE_HEAD;
  const half = (lane.height - LANE_HEAD) / 2;
  const wide = width / parts;
  context.textAlign = 'right';
  for (const { values, bottom, colour, alpha, word } of [
    {
      values: load.waiting,
      bottom: top + half,
      colour: palette.status.queued,
      alpha: 0.45,
      word: scene.texts.__('waiting, at most %1', peakOf(load.waiting))
    },
    {
      values: load.running,
      bottom: top + 2 * half,
      colour: palette.status.running,
      alpha: 0.85,
      word: scene.texts.__('running, at most %1', peakOf(load.running))
    }
  ]) {
    const scale = (half - AREA_GAP) / Math.max(1, peakOf(values));
    context.globalAlpha = alpha;
    context.fillStyle = colour;
    values.forEach((value, part) => {
      context.fillRect(PADDING + part * wide, bottom - value * scale, wide + 0.5, value * scale);
    });
    context.globalAlpha = 1;
    context.fillStyle = palette.textMuted;
    context.fillText(word, scene.size.width - PADDING, bottom - half + AREA_GAP);
  }
  context.textAlign = 'left';
}

/** Averages of parts with less than one node in them are not none. */
function peakOf(values: Float64Array): number {
  return Math.ceil(values.reduce((most, value) => Math.max(most, value), 0) - 1e-6);
}
