/**
 * Where the bars of a timeline are drawn: one row a node while they can be told apart, otherwise one area for each lane
 * with how many run and how many wait. Pure.
 */

import { formatDuration } from './style';
import type { IBar, ITimeline } from './timeline';
import { endOf, waitsOf } from './timeline';

/** A span of time in POSIX seconds. */
export interface ISpan {
  readonly from: number;
  readonly to: number;
}

/** One executor's part of the picture, in pixels from the top of all lanes. */
export interface ILane {
  readonly name: string;
  readonly top: number;
  readonly height: number;
  /** The bars in the span, a row each; if they are too many, those that run in it; null if these are too many as well. */
  readonly rows: readonly IBar[] | null;
  /** How many bars touch the span, running or waiting. */
  readonly count: number;
}

/** How many nodes ran and waited in each of some equal parts of a span, on average. */
export interface ILoad {
  readonly running: Float64Array;
  readonly waiting: Float64Array;
}

export const LANE_HEAD = 24;
export const ROW = 20;
const AREA = 120;
const LANE_GAP = 10;
/** More rows than this say less than an area. */
export const MAX_ROWS = 150;
const MIN_SPAN = 1e-3;

/** The lanes of a span, one below the other. */
export function lanesIn(timeline: ITimeline, span: ISpan, now: number): ILane[] {
  const lanes: ILane[] = [];
  let top = 0;
  for (const [name, places] of timeline.lanes) {
    const inSpan = places
      .map(place => timeline.bars[place])
      .filter(bar => bar.readyAt <= span.to && endOf(bar, now) >= span.from);
    const rows = [inSpan, inSpan.filter(bar => bar.startedAt <= span.to)].find(
      bars => bars.length <= MAX_ROWS && (bars.length > 0 || inSpan.length === 0)
    );
    const height = LANE_HEAD + (rows === undefined ? AREA : rows.length * ROW);
    lanes.push({ name, top, height, rows: rows ?? null, count: inSpan.length });
    top += height + LANE_GAP;
  }
  return lanes;
}

/** How busy a lane was in each part of a span. */
export function loadOf(
  timeline: ITimeline,
  name: string,
  span: ISpan,
  parts: number,
  now: number
): ILoad {
  const running = new Float64Array(parts);
  const waiting = new Float64Array(parts);
  const scale = parts / Math.max(MIN_SPAN, span.to - span.from);
  for (const place of timeline.lanes.get(name) ?? []) {
    const bar = timeline.bars[place];
    const add = (parts: Float64Array, from: number, to: number) =>
      cover(parts, (from - span.from) * scale, (to - span.from) * scale);
    waitsOf(bar, now).forEach(([from, to]) => add(waiting, from, to));
    bar.earlier.forEach(({ startedAt, endedAt }) => add(running, startedAt, endedAt));
    if (!Number.isNaN(bar.startedAt)) {
      add(running, bar.startedAt, endOf(bar, now));
    }
  }
  return { running, waiting };
}

/** The bar whose row is at `y` pixels from the top of the lanes; null where there is none. */
export function barAt(lanes: readonly ILane[], y: number): IBar | null {
  for (const lane of lanes) {
    const row = Math.floor((y - lane.top - LANE_HEAD) / ROW);
    if (y >= lane.top + LANE_HEAD && y < lane.top + lane.height) {
      return lane.rows?.[row] ?? null;
    }
  }
  return null;
}

/** Where the row of a node begins, or null if it has none. */
export function rowOf(lanes: readonly ILane[], id: number): number | null {
  for (const lane of lanes) {
    const row = lane.rows?.findIndex(bar => bar.id === id) ?? -1;
    if (row >= 0) {
      return lane.top + LANE_HEAD + row * ROW;
    }
  }
  return null;
}

/** Round distances from the beginning, at least some pixels apart, with as many digits as tell them apart. */
export function ticksIn(
  span: ISpan,
  origin: number,
  width: number,
  apart = 90
): { at: number; label: string }[] {
  const length = Math.max(MIN_SPAN, span.to - span.from);
  const least = (length * apart) / Math.max(apart, width);
  const power = 10 ** Math.floor(Math.log10(least));
  const steps = least < 30 ? [1, 2, 5, 10].map(value => value * power) : STEPS;
  const step = steps.find(value => value >= least) ?? 86_400 * Math.ceil(least / 86_400);
  const ticks: { at: number; label: string }[] = [];
  for (
    let at = Math.ceil((span.from - origin) / step) * step;
    at <= span.to - origin + step * 1e-6;
    at += step
  ) {
    const seconds = Math.abs(at) < step * 1e-6 ? 0 : at;
    ticks.push({ at: seconds, label: tickLabel(seconds, step) });
  }
  return ticks;
}

/** Enlarges a span around one of its times. */
export function zoomSpan(span: ISpan, factor: number, at: number, whole: ISpan): ISpan {
  const length = Math.max(MIN_SPAN, (span.to - span.from) / factor);
  if (length >= whole.to - whole.from) {
    return whole;
  }
  const share = (at - span.from) / Math.max(MIN_SPAN, span.to - span.from);
  return moveSpan({ from: at - share * length, to: at + (1 - share) * length }, 0, whole);
}

/** Moves a span by seconds, within the whole. */
export function moveSpan(span: ISpan, seconds: number, whole: ISpan): ISpan {
  const length = span.to - span.from;
  const from = Math.max(whole.from, Math.min(whole.to - length, span.from + seconds));
  return { from, to: from + length };
}

const STEPS = [30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400];

function tickLabel(seconds: number, step: number): string {
  if (seconds === 0) {
    return '0';
  }
  if (step >= 1) {
    return formatDuration(seconds);
  }
  const isShort = seconds < 1;
  const digits = Math.max(0, Math.ceil(-Math.log10(isShort ? step * 1000 : step) - 1e-9));
  return isShort ? `${(seconds * 1000).toFixed(digits)} ms` : `${seconds.toFixed(digits)} s`;
}

/** Adds to each part the share of it that lies between `low` and `high`, in parts. */
function cover(parts: Float64Array, low: number, high: number): void {
  const from = Math.max(0, low);
  const to = Math.min(parts.length, high);
  if (!(to > from)) {
    return;
  }
  const [first, last] = [Math.floor(from), Math.min(parts.length - 1, Math.floor(to))];
  if (first === last) {
    parts[first] += to - from;
    return;
  }
  parts[first] += first + 1 - from;
  parts[last] += to - last;
  for (let part = first + 1; part < last; part += 1) {
    parts[part] += 1;
  }
}
