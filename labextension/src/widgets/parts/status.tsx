/** Signs and bars for statuses; shape differs as well as colour. */

import type { JSX } from 'react';

import type { ITexts } from '../../graph/style';
import { statusTone, statusWord } from '../../graph/style';

/** The sign of a status, with its word for screen readers. */
export function StatusIcon(props: { status: string; texts: ITexts; size?: number }): JSX.Element {
  const { status, texts, size } = props;
  return <Sign tone={statusTone(status)} word={statusWord(status, texts)} size={size} />;
}

/** The sign of a tone, with a word for screen readers. */
export function Sign(props: { tone: string; word: string; size?: number }): JSX.Element {
  const size = props.size ?? 16;
  return (
    <svg
      className={`cvl-StatusIcon cvl-tone-${props.tone}`}
      width={size}
      height={size}
      viewBox="-12 -12 24 24"
      role="img"
      aria-label={props.word}
    >
      <title>{props.word}</title>
      {shape(props.tone)}
    </svg>
  );
}

/** Sign and word in a pill. */
export function StatusBadge(props: { status: string; texts: ITexts }): JSX.Element {
  return (
    <span className={`cvl-Badge cvl-tone-${statusTone(props.status)}`}>
      <StatusIcon {...props} size={14} />
      {statusWord(props.status, props.texts)}
    </span>
  );
}

/** How much of a dispatch is done. */
export function ProgressBar(props: {
  completed: number;
  failed: number;
  cancelled: number;
  total: number;
  status: string;
  texts: ITexts;
}): JSX.Element {
  const { completed, failed, cancelled, total } = props;
  const part = (value: number) => `${total > 0 ? Math.min(100, (100 * value) / total) : 0}%`;
  return (
    <div
      className={`cvl-Progress cvl-tone-${statusTone(props.status)}`}
      role="progressbar"
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={completed}
      aria-label={props.texts._n(
        '%2 of %1 task completed',
        '%2 of %1 tasks completed',
        total,
        completed
      )}
    >
      <span className="cvl-Progress-completed" style={{ width: part(completed) }} />
      <span className="cvl-Progress-failed" style={{ width: part(failed) }} />
      <span className="cvl-Progress-cancelled" style={{ width: part(cancelled) }} />
    </div>
  );
}

function shape(tone: string): JSX.Element {
  switch (tone) {
    case 'pending':
      return <circle r="9" fill="none" strokeDasharray="4 3.4" />;
    case 'queued':
      return (
        <>
          <circle r="9" fill="none" />
          <path d="M0-5V.5L3.8 2.7" fill="none" />
        </>
      );
    case 'running':
      return (
        <>
          <circle r="9" fill="none" opacity=".25" />
          <path className="cvl-mod-spin" d="M0-9A9 9 0 0 1 8.2 3.7" fill="none" />
          <path d="M-2.6-4 4.4 0-2.6 4Z" className="cvl-mod-solid" />
        </>
      );
    case 'dispatching':
      return (
        <>
          <circle r="9" fill="none" opacity=".25" />
          <path className="cvl-mod-spin" d="M0-9A9 9 0 0 1 8.2 3.7" fill="none" />
          <path d="M0-4V0L-3.2 3.2M0 0 3.2 3.2" fill="none" />
        </>
      );
    case 'completed':
      return (
        <>
          <circle r="10" className="cvl-mod-solid" />
          <path d="M-4.6.3-1.4 3.6 4.8-3.4" className="cvl-mod-on" />
        </>
      );
    case 'failed':
      return (
        <>
          <circle r="10" className="cvl-mod-solid" />
          <path d="M-3.5-3.5 3.5 3.5M3.5-3.5-3.5 3.5" className="cvl-mod-on" />
        </>
      );
    default:
      return (
        <>
          <circle r="10" className="cvl-mod-solid" />
          <path d="M-4.4 0H4.4" className="cvl-mod-on" />
        </>
      );
  }
}
