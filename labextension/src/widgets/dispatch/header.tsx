/** The head of a dispatch's view: name, status, progress, runtime, error. */

import type { JSX } from 'react';
import { useRef } from 'react';

import type { DispatchStatus } from '../../contract';
import { isTerminal } from '../../contract';
import type { ITexts } from '../../graph/style';
import { elapsed, formatRunning, shortId, statusWord } from '../../graph/style';
import { nextFailed } from '../../graph/states';
import type { DispatchModel } from '../../model';
import { canCancel, canRunRest } from '../../model';
import type { IViewActions } from '../node';
import {
  Announcement,
  BACK,
  ComponentWidget,
  CopyButton,
  Glyph,
  OpenLink,
  ProgressBar,
  RERUN,
  StatusBadge,
  STOP,
  useNow,
  useSignal
} from '../parts';

/** What the head shows, and what its buttons do. */
export interface IHeaderOptions {
  model: DispatchModel;
  texts: ITexts;
  actions: IViewActions;
}

/** The head as a widget. */
export class DispatchHeader extends ComponentWidget<IHeaderOptions> {
  constructor(options: IHeaderOptions) {
    super(Header, options, 'cvl-Header-widget');
  }
}

/** Name, status, progress, and what can be done. */
export function Header(props: IHeaderOptions): JSX.Element {
  const { model, texts } = props;
  useSignal(model.changed);
  const { detail } = model;
  const isActive = detail !== null && !isTerminal(detail.status);
  const now = useNow(isActive);
  if (detail === null) {
    return (
      <div className="cvl-Header">
        <span className="cvl-Muted" role="status">
          {texts.__('Loading…')}
        </span>
      </div>
    );
  }
  const runtime = elapsed(detail.started_at, detail.ended_at, now);
  const hasFailed = model.nodes !== null && nextFailed(model.nodes, null) !== null;
  const showFailed = () => {
    if (model.nodes !== null) {
      model.selection = nextFailed(model.nodes, model.selection);
    }
  };
  return (
    <div className="cvl-Header">
      {model.parent !== null && (
        <nav className="cvl-Header-parent" aria-label={texts.__('Part of')}>
          <span>{texts.__('Viewing %1, a part of', detail.name)}</span>
          <OpenLink
            className="cvl-Link"
            request={model.parent}
            title={texts.__('Back to the workflow that this one is part of')}
          >
            <Glyph path={BACK} />
            {model.parent.name}
          </OpenLink>
        </nav>
      )}
      <div className="cvl-Header-line">
        <h2 title={detail.name}>{detail.name}</h2>
        <StatusBadge status={detail.status} texts={texts} />
        <Ending name={detail.name} status={detail.status} texts={texts} />
        <code className="cvl-Header-id" title={detail.dispatch_id}>
          {shortId(detail.dispatch_id)}
        </code>
        <CopyButton text={detail.dispatch_id} label={texts.__('Copy id')} texts={texts} isIcon />
        <span className="cvl-Header-space" />
        {model.feedState !== 'connected' && (
          <span className="cvl-Connection" role="status">
            {texts.__('Reconnecting…')}
          </span>
        )}
        <span className="cvl-Header-runtime" title={texts.__('Run time')}>
          {runtime === null ? '' : formatRunning(runtime, isActive)}
        </span>
        <span className="cvl-Header-progress">
          <ProgressBar {...detail} texts={texts} />
          <span>
            {detail.completed}/{detail.total}
          </span>
        </span>
        {isActive && hasFailed && (
          <button
            type="button"
            className="cvl-Button cvl-mod-danger"
            title={texts.__('Show the next failed task (F in the graph)')}
            onClick={showFailed}
          >
            {texts.__('%1 failed', detail.failed)}
          </button>
        )}
        {canCancel(detail.status) && (
          <button
            type="button"
            className="cvl-Button cvl-mod-danger"
            onClick={props.actions.cancel}
          >
            <Glyph path={STOP} />
            {texts.__('Cancel')}
          </button>
        )}
        {!isActive && (
          <button
            type="button"
            className="cvl-Button"
            title={texts.__('Run every task again, with the same inputs')}
            onClick={() => props.actions.rerun(false)}
          >
            <Glyph path={RERUN} />
            {texts.__('Run again')}
          </button>
        )}
        {!isActive && (
          <button
            type="button"
            className="cvl-Button"
            title={texts.__('Change arguments of the workflow, and run it from a notebook')}
            onClick={props.actions.rerunWith}
          >
            {texts.__('With changes…')}
          </button>
        )}
        {canRunRest(detail.status) && (
          <button
            type="button"
            className="cvl-Button"
            title={texts.__('Run what did not complete, and take over the results of the rest')}
            onClick={() => props.actions.rerun(true)}
          >
            {texts.__('Run the rest')}
          </button>
        )}
      </div>
      {detail.status === 'FAILED' && (
        <div className="cvl-ErrorCard" role="alert">
          <pre>{detail.error ?? texts.__('The dispatch failed.')}</pre>
          {hasFailed && (
            <button type="button" className="cvl-Button" onClick={showFailed}>
              {texts._n('Show the failed task', 'Next of %1 failed tasks', detail.failed)}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

/** Tells screen readers that a dispatch which ran a moment ago has ended; a failure tells itself. */
function Ending(props: { name: string; status: DispatchStatus; texts: ITexts }): JSX.Element {
  const { name, status, texts } = props;
  const isOver = isTerminal(status);
  const hasRun = useRef(false);
  hasRun.current ||= !isOver;
  const isNews = hasRun.current && isOver && status !== 'FAILED';
  return <Announcement text={isNews ? texts.__('%1: %2', name, statusWord(status, texts)) : ''} />;
}
