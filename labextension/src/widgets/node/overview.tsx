/** The dispatch as a whole: facts, inputs, result, source. */

import type { JSX } from 'react';
import { useEffect } from 'react';

import type { ITexts } from '../../graph/style';
import { elapsed, runTime } from '../../graph/style';
import { isTerminal } from '../../contract';
import type { DispatchModel } from '../../model';
import { inputsCode, originOf, resultCode } from '../../model';
import {
  CopyButton,
  ExecutorSection,
  Facts,
  MiddleText,
  PayloadView,
  Section,
  SourceView,
  StatusBadge,
  Time,
  useNow,
  useSignal
} from '../parts';
import type { IViewActions } from './actions';

/** Shown while no node is selected. */
export function DispatchOverview(props: {
  model: DispatchModel;
  texts: ITexts;
  actions: IViewActions;
}): JSX.Element | null {
  const { model, texts, actions } = props;
  useSignal(model.changed);
  useEffect(() => void model.loadFolder(), [model]);
  const { detail } = model;
  const isActive = detail !== null && !isTerminal(detail.status);
  const now = useNow(isActive);
  if (detail === null) {
    return null;
  }
  const runtime = elapsed(detail.started_at, detail.ended_at, now);
  const id = detail.dispatch_id;
  const origin = originOf(detail);
  const by = origin?.notebook ?? origin?.script ?? null;
  return (
    <>
      <div className="cvl-Panel-head">
        <h3>{detail.name}</h3>
        <StatusBadge status={detail.status} texts={texts} />
      </div>
      {detail.doc !== '' && <p className="cvl-Panel-doc">{detail.doc}</p>}
      <Facts
        rows={[
          [
            texts.__('Id'),
            <span key="id" className="cvl-Panel-id">
              <MiddleText text={id} />
              <CopyButton text={id} label={texts.__('Copy id')} texts={texts} isIcon />
            </span>
          ],
          [
            texts.__('Repeats'),
            detail.redispatched_from ? (
              <span key="repeats" className="cvl-Panel-id">
                <MiddleText text={detail.redispatched_from} />
                <CopyButton
                  text={detail.redispatched_from}
                  label={texts.__('Copy id')}
                  texts={texts}
                  isIcon
                />
              </span>
            ) : (
              ''
            )
          ],
          [texts.__('Tasks'), texts.__('%1 of %2 completed', detail.completed, detail.total)],
          [
            texts.__('Created'),
            <Time key="created" at={detail.created_at} now={now} texts={texts} />
          ],
          [
            texts.__('Started'),
            <Time key="started" at={detail.started_at} now={now} texts={texts} />
          ],
          [texts.__('Ended'), <Time key="ended" at={detail.ended_at} now={now} texts={texts} />],
          [texts.__('Run time'), runTime(runtime, isActive)],
          [
            texts.__('Results folder'),
            model.folder === '' ? (
              ''
            ) : (
              <span key="folder" className="cvl-Panel-id">
                <MiddleText text={model.folder} />
                <CopyButton
                  text={model.folder}
                  label={texts.__('Copy path')}
                  texts={texts}
                  isIcon
                />
              </span>
            )
          ],
          [
            texts.__('Dispatched by'),
            by === null ? '' : <MiddleText key="by" text={by} tail={16} />
          ],
          [texts.__('Python'), detail.python_version]
        ]}
      />
      <div className="cvl-Panel-buttons">
        {detail.result !== null && (
          <button type="button" className="cvl-Button" onClick={actions.loadResult}>
            {texts.__('Load result in notebook')}
          </button>
        )}
        {origin !== null && origin.notebook !== null && (
          <button type="button" className="cvl-Button" onClick={actions.openOrigin}>
            {texts.__('Open notebook cell')}
          </button>
        )}
      </div>
      <ExecutorSection
        title={texts.__('Executor')}
        name={detail.executor}
        data={detail.executor_data}
        texts={texts}
      />
      <ExecutorSection
        title={texts.__('Workflow executor')}
        name={detail.workflow_executor}
        data={detail.workflow_executor_data}
        texts={texts}
      />
      {detail.result !== null && (
        <Section title={texts.__('Result')}>
          <PayloadView
            payload={detail.result}
            dispatch={model}
            texts={texts}
            fileName={`${detail.name}-result`}
            expression={resultCode(id)}
          />
        </Section>
      )}
      {detail.inputs !== null && (
        <Section title={texts.__('Inputs')}>
          <PayloadView
            payload={detail.inputs}
            dispatch={model}
            texts={texts}
            fileName={`${detail.name}-inputs`}
            expression={inputsCode(id)}
          />
        </Section>
      )}
      {detail.source !== '' && (
        <Section title={texts.__('Source')}>
          <SourceView source={detail.source} texts={texts} />
        </Section>
      )}
      <p className="cvl-Panel-hint">{texts.__('Select a node in the graph to see what it did.')}</p>
    </>
  );
}
