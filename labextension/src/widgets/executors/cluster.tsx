/** The Dask cluster that comes with the server: start and stop, workers, log, dashboard. */

import type { JSX } from 'react';
import { useState } from 'react';

import type { ClusterView } from '../../contract';
import { formatSize, type ITexts } from '../../graph/style';
import { Facts, Section } from '../parts';
import type { IExecutorsOptions } from './view';

/** The part of the card of Dask. */
export function ClusterPart(props: IExecutorsOptions): JSX.Element | null {
  const { model, texts, openLink } = props;
  const { cluster, clusterBusy, clusterError } = model;
  if (cluster === null) {
    return null;
  }
  const isBusy = clusterBusy !== null;
  const button = (action: 'start' | 'stop' | 'restart', label: string) => (
    <button
      type="button"
      className="cvl-Button"
      disabled={isBusy}
      onClick={() => void model.order({ action })}
    >
      {label}
    </button>
  );
  return (
    <Section title={texts.__('Local cluster')} aside={stateOf(cluster, isBusy, texts)}>
      <div className="cvl-Executor-actions">
        {!cluster.is_running && button('start', texts.__('Start cluster'))}
        {cluster.is_running && (
          <>
            {button('stop', texts.__('Stop cluster'))}
            {button('restart', texts.__('Restart workers'))}
            <button
              type="button"
              className="cvl-Button"
              onClick={() => openLink(cluster.dashboard_link)}
            >
              {texts.__('Dashboard')}
            </button>
          </>
        )}
      </div>
      {cluster.is_running && <Scale {...props} workers={cluster.workers.length} isBusy={isBusy} />}
      {(clusterError || cluster.trouble) !== '' && (
        <p className="cvl-ErrorText" role="alert">
          {clusterError || cluster.trouble}
        </p>
      )}
      {cluster.is_running && (
        <Facts
          rows={[
            [texts.__('Scheduler'), cluster.scheduler_address],
            ...cluster.workers.map(worker => {
              const memory = worker.memory_limit > 0 ? formatSize(worker.memory_limit) : '∞';
              const row: [string, string] = [
                texts.__('Worker %1', worker.name),
                texts.__('threads: %1, memory: %2, process: %3', worker.threads, memory, worker.pid)
              ];
              return row;
            })
          ]}
        />
      )}
      <Log {...props} />
    </Section>
  );
}

function stateOf(cluster: ClusterView, isBusy: boolean, texts: ITexts): string {
  if (isBusy) {
    return texts.__('working…');
  }
  return cluster.is_running
    ? texts.__('running, workers: %1', cluster.workers.length)
    : texts.__('stopped');
}

function Scale(props: IExecutorsOptions & { workers: number; isBusy: boolean }): JSX.Element {
  const { model, texts, workers } = props;
  const [text, setText] = useState<string | null>(null);
  const value = text ?? String(workers);
  return (
    <form
      className="cvl-Executor-actions"
      onSubmit={event => {
        event.preventDefault();
        void model.order({ action: 'scale', workers: Number(value) }).then(() => setText(null));
      }}
    >
      <label>
        {texts.__('Workers')}{' '}
        <input
          type="number"
          min={0}
          max={10000}
          step={1}
          required
          value={value}
          onChange={event => setText(event.target.value)}
        />
      </label>
      <button type="submit" className="cvl-Button" disabled={props.isBusy}>
        {texts.__('Scale')}
      </button>
    </form>
  );
}

function Log(props: IExecutorsOptions): JSX.Element {
  const { model, texts } = props;
  const [text, setText] = useState<string | null>(null);
  return (
    <>
      <button
        type="button"
        className="cvl-Link"
        onClick={() => void model.clusterLog().then(setText)}
      >
        {text === null ? texts.__('Show log') : texts.__('Load the log again')}
      </button>
      {text !== null && (
        <pre className="cvl-Executor-log" tabIndex={0} aria-label={texts.__('Log of the cluster')}>
          {text}
        </pre>
      )}
    </>
  );
}
