/** One dispatch in the list. */

import type { JSX } from 'react';

import type { Summary } from '../../contract';
import { isTerminal } from '../../contract';
import { formatMoment, formatTime } from '../../graph/dates';
import type { ITexts } from '../../graph/style';
import { elapsed, formatRunning, shortId } from '../../graph/style';
import { canCancel, canDelete, canRunRest } from '../../model';
import { COPY, Glyph, OPEN, ProgressBar, RERUN, StatusIcon, STOP, TRASH, useNow } from '../parts';
import type { IDispatchActions } from './panel';

/** A row: two lines, a bar, and buttons that appear on hover and focus. */
export function DispatchRow(props: {
  id: string;
  summary: Summary;
  isActive: boolean;
  texts: ITexts;
  actions: IDispatchActions;
  onActivate: () => void;
}): JSX.Element {
  const { summary, texts, actions } = props;
  const isRunning = summary.status === 'RUNNING' || summary.status === 'STARTING';
  const now = useNow(isRunning);
  const runtime = elapsed(summary.started_at, summary.ended_at, now);
  const startedAt = summary.started_at ?? summary.created_at;
  const id = summary.dispatch_id;
  const isBroken = canRunRest(summary.status);
  const reach = { isReachable: props.isActive };
  const done = `${summary.completed}/${summary.total}`;
  return (
    <div
      id={props.id}
      className={`cvl-Row cvl-mod-dispatch${props.isActive ? ' cvl-mod-active' : ''}`}
      role="row"
      aria-selected={props.isActive}
      data-dispatch-id={id}
      data-status={summary.status}
      title={summary.error ?? undefined}
      onMouseDown={props.onActivate}
      onContextMenu={props.onActivate}
      onDoubleClick={() => actions.open(id)}
      onClick={event => {
        if (!(event.target as Element).closest('button')) {
          actions.open(id);
        }
      }}
    >
      <div className="cvl-Row-about" role="gridcell">
        <StatusIcon status={summary.status} texts={texts} size={18} />
        <div className="cvl-Row-main">
          <div className="cvl-Row-line">
            <span className="cvl-Row-name">{summary.name || texts.__('unnamed')}</span>
            <span className="cvl-Row-time">
              {runtime === null ? '' : formatRunning(runtime, isRunning)}
            </span>
          </div>
          <ProgressBar {...summary} texts={texts} />
          <div className="cvl-Row-line cvl-Row-meta">
            <span>
              <code>{shortId(id)}</code>
              <span className="cvl-Row-count" title={texts.__('Completed tasks')}>
                {done}
              </span>
            </span>
            <span title={texts.__('Started %1', formatTime(startedAt, now, texts))}>
              {formatMoment(startedAt, now, texts)}
            </span>
          </div>
        </div>
      </div>
      <div className="cvl-Row-buttons" role="gridcell">
        <RowButton
          {...reach}
          path={OPEN}
          label={texts.__('Open graph')}
          onClick={() => actions.open(id)}
        />
        <RowButton
          {...reach}
          path={COPY}
          label={texts.__('Copy id')}
          onClick={() => actions.copyId(id)}
        />
        {isTerminal(summary.status) && (
          <RowButton
            {...reach}
            path={RERUN}
            label={isBroken ? texts.__('Run the rest') : texts.__('Run again')}
            onClick={() => actions.rerun(id, isBroken)}
          />
        )}
        {canCancel(summary.status) && (
          <RowButton
            {...reach}
            path={STOP}
            label={texts.__('Cancel')}
            onClick={() => actions.cancel(id)}
          />
        )}
        {canDelete(summary.status) && (
          <RowButton
            {...reach}
            path={TRASH}
            label={texts.__('Delete')}
            onClick={() => actions.remove(id)}
          />
        )}
      </div>
    </div>
  );
}

function RowButton(props: {
  path: string;
  label: string;
  /** By Tab: in the row that the keyboard is on. */
  isReachable: boolean;
  onClick: () => void;
}): JSX.Element {
  return (
    <button
      type="button"
      className="cvl-IconButton"
      tabIndex={props.isReachable ? 0 : -1}
      title={props.label}
      aria-label={props.label}
      onClick={event => {
        event.stopPropagation();
        props.onClick();
      }}
    >
      <Glyph path={props.path} />
    </button>
  );
}
