/** Names for people: words of statuses, durations, sizes. Pure; colours are names of CSS variables. */

import type { NodeStatus } from '../contract';
import type { INodeStates } from './states';
import { statusName } from './states';
import type { ITexts } from '../texts';

export { plainTexts, type ITexts } from '../texts';

/** The word for a status; one that is not known shows its own name. */
export function statusWord(status: NodeStatus | string, texts: ITexts): string {
  switch (status) {
    case 'NEW_OBJECT':
      return texts.__('Pending');
    case 'STARTING':
      return texts.__('Starting');
    case 'RUNNING':
      return texts.__('Running');
    case 'COMPLETED':
      return texts.__('Completed');
    case 'FAILED':
      return texts.__('Failed');
    case 'CANCELLED':
      return texts.__('Cancelled');
    case 'PENDING_REUSE':
      return texts.__('Pending reuse');
    case 'PENDING_REPLACEMENT':
      return texts.__('Pending replacement');
    case 'DISPATCHING':
      return texts.__('Dispatching');
    case 'PENDING_POSTPROCESSING':
      return texts.__('Pending postprocessing');
    case 'POSTPROCESSING':
      return texts.__('Postprocessing');
    case 'POSTPROCESSING_FAILED':
      return texts.__('Postprocessing failed');
    default:
      return status.charAt(0) + status.slice(1).toLowerCase().replaceAll('_', ' ');
  }
}

/** The word for how a node stands: one that took over a result did not run. */
export function nodeWord(states: INodeStates, id: number, texts: ITexts): string {
  const status = statusName(states.status[id]);
  const isReused = status === 'COMPLETED' && states.reused[id] === 1;
  return isReused ? texts.__('Reused') : statusWord(status, texts);
}

/** The word for what a node is. */
export function kindWord(kind: string, texts: ITexts): string {
  switch (kind) {
    case 'function':
      return texts.__('function');
    case 'parameter':
      return texts.__('parameter');
    case 'electron_list':
      return texts.__('list');
    case 'electron_dict':
      return texts.__('dict');
    case 'sublattice':
      return texts.__('sublattice');
    case 'postprocess':
      return texts.__('postprocess');
    default:
      return kind;
  }
}

/** CSS class suffix of a status, also used to pick the colour. */
export function statusTone(status: string): string {
  switch (status) {
    case 'STARTING':
    case 'PENDING_REUSE':
    case 'PENDING_REPLACEMENT':
    case 'PENDING_POSTPROCESSING':
      return 'queued';
    case 'RUNNING':
    case 'POSTPROCESSING':
      return 'running';
    case 'DISPATCHING':
      return 'dispatching';
    case 'COMPLETED':
      return 'completed';
    case 'FAILED':
    case 'POSTPROCESSING_FAILED':
      return 'failed';
    case 'CANCELLED':
      return 'cancelled';
    default:
      return 'pending';
  }
}

/** A duration with about three digits: `420 ms`, `3.2 s`, `4 m 05 s`, `2 h 07 m`, `3 d 4 h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) {
    return '';
  }
  if (seconds < 0.9995) {
    return `${Math.round(seconds * 1000)} ms`;
  }
  if (seconds < 59.95) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  }
  if (whole < 86_400) {
    return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  }
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

/** How much longer (`+1.2 s`) or shorter (`−300 ms`) something took. */
export function formatDifference(seconds: number): string {
  const text = formatDuration(Math.abs(seconds));
  return text === '' ? '' : `${text === '0 ms' ? '±' : seconds < 0 ? '−' : '+'}${text}`;
}

/** A duration for a clock on the screen: while it runs whole seconds are enough; tenths would only flicker. */
export function formatRunning(seconds: number, isRunning: boolean): string {
  return isRunning && seconds < 60 ? `${Math.floor(seconds)} s` : formatDuration(seconds);
}

/** The same in tables and fields; `-` where nothing has begun. */
export function runTime(seconds: number | null, isRunning: boolean): string {
  return seconds === null ? '-' : formatRunning(seconds, isRunning);
}

/** A size in bytes: `312 B`, `4.1 kB`, `2.0 MB`; empty if it is not known. */
export function formatSize(bytes: number): string {
  if (!Number.isFinite(bytes)) {
    return '';
  }
  if (bytes < 1000) {
    return `${bytes} B`;
  }
  let value = bytes;
  for (const unit of ['kB', 'MB', 'GB']) {
    value /= 1000;
    if (value < 1000 || unit === 'GB') {
      return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
    }
  }
  return `${bytes} B`;
}

/** The beginning of an id, enough to recognise it. */
export function shortId(dispatchId: string): string {
  return dispatchId.slice(0, 8);
}

/** Seconds between start and end, or until now while it runs; null before the start. */
export function elapsed(
  startedAt: number | null | undefined,
  endedAt: number | null | undefined,
  now: number
): number | null {
  if (startedAt === null || startedAt === undefined || !Number.isFinite(startedAt)) {
    return null;
  }
  const end =
    endedAt === null || endedAt === undefined || !Number.isFinite(endedAt) ? now : endedAt;
  return Math.max(0, end - startedAt);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
