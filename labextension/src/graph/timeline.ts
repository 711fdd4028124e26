/**
 * When nodes waited and when they ran, and which of them the whole had to wait for. Pure: graph and times in, bars out.
 *
 * A node is ready when the last of its sources has ended, or when the dispatch started if it has none. From then until
 * it runs it waits for a place at its executor, each time that it is tried. Lists and dicts take no time; they only pass
 * on when their parts are there.
 */

import { isTerminal } from '../contract';
import { rankNodes } from './layers';
import type { IAttempt, INodeStates } from './states';
import { isGoingOn, statusName } from './states';
import type { IGraphStructure } from './structure';

/** One node in time; POSIX seconds. */
export interface IBar {
  readonly id: number;
  readonly readyAt: number;
  /** Attempts before the last one. */
  readonly earlier: readonly IAttempt[];
  /** NaN while it waits. */
  readonly startedAt: number;
  /** NaN while it waits or runs. */
  readonly endedAt: number;
}

/** All nodes that were ready at least, by when they were; `lanes` has the places in `bars` for each executor. */
export interface ITimeline {
  readonly bars: readonly IBar[];
  readonly lanes: ReadonlyMap<string, readonly number[]>;
  readonly from: number;
  /** The last end; NaN while something waits or runs. */
  readonly to: number;
  /** Ids of the nodes on the critical path, in order. */
  readonly critical: readonly number[];
}

/** What the critical path is made of, in seconds. */
export interface IPathTimes {
  readonly running: number;
  readonly waiting: number;
  /** In attempts that had to be repeated. */
  readonly repeated: number;
}

/** The timeline of a dispatch that started at this time; null before anything is ready. */
export function timelineOf(
  structure: IGraphStructure,
  states: INodeStates,
  dispatchStartedAt: number | null
): ITimeline | null {
  const begin = dispatchStartedAt ?? earliest(states.startedAt);
  if (!Number.isFinite(begin)) {
    return null;
  }
  const { order, sources } = inOrder(structure);
  const ends = new Float64Array(structure.count).fill(NaN);
  const last = new Int32Array(structure.count).fill(-1);
  const bars: IBar[] = [];
  for (const id of order) {
    const { readyAt, source } = readiness(sources[id] ?? [], ends, begin);
    last[id] = source;
    if (takesNoTime(structure, id)) {
      ends[id] = readyAt;
      continue;
    }
    const { startedAt, endedAt } = states;
    const status = statusName(states.status[id]);
    if (status === 'COMPLETED') {
      ends[id] = Number.isNaN(endedAt[id]) ? readyAt : endedAt[id];
    }
    const earlier = states.earlier.get(id) ?? [];
    const isUntried = Number.isNaN(startedAt[id]) && earlier.length === 0;
    if (isUntried && (Number.isNaN(readyAt) || isTerminal(status))) {
      continue;
    }
    // One that was cancelled before its next attempt waited until then.
    const isOver = Number.isNaN(startedAt[id]) && isTerminal(status);
    const start = isOver ? endedAt[id] : startedAt[id];
    const first = earlier[0]?.startedAt ?? start;
    bars.push({
      id,
      readyAt: Number.isNaN(readyAt) || readyAt > first ? first : readyAt,
      earlier,
      startedAt: start,
      endedAt: isGoingOn(states.status[id]) ? NaN : endedAt[id]
    });
  }
  bars.sort((a, b) => a.readyAt - b.readyAt || a.startedAt - b.startedAt || a.id - b.id);
  return {
    bars,
    lanes: lanesOf(structure, bars),
    from: bars.reduce((least, bar) => Math.min(least, bar.readyAt), begin),
    to: bars.reduce((most, bar) => Math.max(most, bar.endedAt), begin),
    critical: criticalPath(structure, bars, last)
  };
}

/** How long the critical path ran and waited, until now where it still does. */
export function pathTimes(timeline: ITimeline, now: number): IPathTimes {
  const isCritical = new Set(timeline.critical);
  let [running, waiting, repeated] = [0, 0, 0];
  for (const bar of timeline.bars) {
    if (isCritical.has(bar.id)) {
      running += ranFor(bar, now);
      waiting += waitedFor(bar, now);
      repeated += triedFor(bar);
    }
  }
  return { running, waiting, repeated };
}

/** When a node waited, from each beginning to its end: before its attempts, now included if it still does. */
export function waitsOf(bar: IBar, now: number): readonly (readonly [number, number])[] {
  const ends = [...bar.earlier.map(attempt => attempt.startedAt), lastStart(bar, now)];
  return ends.map((end, index) => [bar.earlier[index - 1]?.endedAt ?? bar.readyAt, end]);
}

/** Seconds that it waited, or has until now. */
export function waitedFor(bar: IBar, now: number): number {
  return waitsOf(bar, now).reduce((sum, [from, to]) => sum + Math.max(0, to - from), 0);
}

/** Seconds that attempts before the last one took. */
export function triedFor(bar: IBar): number {
  return bar.earlier.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0);
}

/** When the last attempt started: now, as long as it waits. */
export function lastStart(bar: IBar, now: number): number {
  return Number.isNaN(bar.startedAt) ? now : bar.startedAt;
}

/** Seconds from started to ended, or until now; 0 for a node that waits. */
export function ranFor(bar: IBar, now: number): number {
  return Number.isNaN(bar.startedAt) ? 0 : Math.max(0, endOf(bar, now) - bar.startedAt);
}

/** When a bar ends: now, as long as it goes on. */
export function endOf(bar: IBar, now: number): number {
  return Number.isNaN(bar.endedAt) ? now : bar.endedAt;
}

/** Back from the node that ended last, always to the source that it waited for longest. */
function criticalPath(
  structure: IGraphStructure,
  bars: readonly IBar[],
  last: Int32Array
): number[] {
  const path: number[] = [];
  let latest = -Infinity;
  let id = -1;
  for (const bar of bars) {
    const end = endOf(bar, Infinity);
    if (end > latest) {
      [latest, id] = [end, bar.id];
    }
  }
  for (; id >= 0; id = last[id]) {
    if (!takesNoTime(structure, id)) {
      path.unshift(id);
    }
  }
  return path;
}

function takesNoTime(structure: IGraphStructure, id: number): boolean {
  const kind = structure.kinds[id];
  return kind === 'parameter' || kind === 'electron_list' || kind === 'electron_dict';
}

/** When the last source has completed, and which that is; NaN if one of them has not. */
function readiness(
  sources: readonly number[],
  ends: Float64Array,
  begin: number
): { readyAt: number; source: number } {
  let readyAt = begin;
  let source = -1;
  for (const id of sources) {
    if (Number.isNaN(ends[id])) {
      return { readyAt: NaN, source: id };
    }
    if (ends[id] > readyAt || (source < 0 && ends[id] === readyAt)) {
      [readyAt, source] = [ends[id], id];
    }
  }
  return { readyAt, source };
}

function inOrder(structure: IGraphStructure): {
  order: readonly number[];
  sources: readonly (readonly number[] | undefined)[];
} {
  const { layers, edges } = rankNodes(structure, new Uint8Array(structure.count).fill(1));
  const sources = new Array<number[] | undefined>(structure.count);
  for (const edge of edges) {
    (sources[structure.target[edge]] ??= []).push(structure.source[edge]);
  }
  return { order: layers.flat(), sources };
}

function lanesOf(
  structure: IGraphStructure,
  bars: readonly IBar[]
): ReadonlyMap<string, readonly number[]> {
  const lanes = new Map<string, number[]>();
  bars.forEach((bar, index) => {
    const name = structure.executors[bar.id];
    const lane = lanes.get(name);
    if (lane === undefined) {
      lanes.set(name, [index]);
    } else {
      lane.push(index);
    }
  });
  return lanes;
}

function earliest(times: Float64Array): number {
  return times.reduce((least, at) => (at < least ? at : least), Infinity);
}
