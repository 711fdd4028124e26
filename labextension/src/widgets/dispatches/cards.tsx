/** The figures above the table: how many dispatches stand how, the newest one, the time they all took. */

import type { JSX, ReactNode } from 'react';

import type { ITexts } from '../../graph/style';
import { formatDuration } from '../../graph/style';
import type { DispatchesModel, OverviewModel, Tab } from '../../model';
import { StatusBadge, StatusIcon, useSignal } from '../parts';

/** A row of cards; those of a status show its dispatches. */
export function SummaryCards(props: {
  overview: OverviewModel;
  model: DispatchesModel;
  texts: ITexts;
}): JSX.Element {
  const { overview, model, texts } = props;
  useSignal(overview.changed);
  const figures = overview.overview;
  const runtime = figures?.runtime_s ?? 0;
  const filters: [Tab, string, string | null, number][] = [
    ['all', texts.__('Dispatches'), null, overview.count()],
    ['running', texts.__('Running'), 'RUNNING', overview.running],
    ['completed', texts.__('Completed'), 'COMPLETED', overview.count('COMPLETED')],
    ['failed', texts.__('Failed'), 'FAILED', overview.count('FAILED')]
  ];
  return (
    <div className="cvl-Cards" role="group" aria-label={texts.__('Summary')}>
      {filters.map(([tab, label, status, count]) => (
        <button
          key={tab}
          type="button"
          className="cvl-Card"
          aria-label={`${label}: ${count}`}
          onClick={() => void model.show({ tab, search: '' })}
        >
          <span className="cvl-Card-label">
            {status !== null && <StatusIcon status={status} texts={texts} size={12} />} {label}
          </span>
          <span className="cvl-Card-value">{count}</span>
        </button>
      ))}
      <Card label={texts.__('Most recent')}>
        {figures?.latest ? (
          <>
            <StatusBadge status={figures.latest.status} texts={texts} />
            <span className="cvl-Card-name" title={figures.latest.name}>
              {figures.latest.name}
            </span>
          </>
        ) : (
          '-'
        )}
      </Card>
      <Card label={texts.__('Total run time')}>
        <span className="cvl-Card-value">{runtime > 0 ? formatDuration(runtime) : '-'}</span>
      </Card>
    </div>
  );
}

function Card(props: { label: string; children: ReactNode }): JSX.Element {
  return (
    <div className="cvl-Card" role="group" aria-label={props.label}>
      <span className="cvl-Card-label">{props.label}</span>
      {props.children}
    </div>
  );
}
