/** All nodes of a dispatch as a table: the way to the graph for keyboard and screen reader. */

import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { JSX } from 'react';
import { useMemo, useState } from 'react';

import { RUNNING, statusName } from '../../graph/states';
import type { ITexts } from '../../graph/style';
import { elapsed, formatDuration, formatTime, statusWord } from '../../graph/style';
import type { DispatchModel } from '../../model';
import { StatusIcon, useNow, useSignal } from '../parts';

interface ITableProps {
  model: DispatchModel;
  texts: ITexts;
  showGraph: () => void;
}

const STEP = 200;

/** The table as a widget. */
export class NodeTable extends ReactWidget {
  constructor(options: ITableProps) {
    super();
    this._options = options;
    this.addClass('cvl-NodeTable');
  }

  protected render(): JSX.Element {
    return <Table {...this._options} />;
  }

  protected onActivateRequest(msg: Message): void {
    this.node.querySelector('input')?.focus();
  }

  private readonly _options: ITableProps;
}

function Table(props: ITableProps): JSX.Element {
  const { model, texts } = props;
  useSignal(model.changed);
  useSignal(model.selectionChanged);
  const [filter, setFilter] = useState('');
  const [limit, setLimit] = useState(STEP);
  const { structure, nodes } = model;
  const now = useNow(nodes?.status.includes(RUNNING) ?? false);
  const ids = useMemo(() => {
    const wanted = filter.trim().toLowerCase();
    return (structure?.labels ?? [])
      .map((_, id) => id)
      .filter(id => {
        const isParameter = structure?.kinds[id] === 'parameter';
        if (wanted === '') {
          return !isParameter;
        }
        const word = statusWord(statusName(nodes?.status[id] ?? 0), texts).toLowerCase();
        const name = structure?.names[id].toLowerCase() ?? '';
        return name.includes(wanted) || String(id) === wanted || word === wanted;
      });
  }, [structure, nodes, filter, texts]);
  return (
    <div className="cvl-NodeTable-body">
      <div className="cvl-NodeTable-head">
        <input
          type="search"
          placeholder={texts.__('Filter by name, id or status')}
          aria-label={texts.__('Filter nodes')}
          value={filter}
          onChange={event => setFilter(event.target.value)}
        />
        <span className="cvl-Muted">{texts.__('%1 nodes', ids.length)}</span>
        <button type="button" className="cvl-Button" onClick={props.showGraph}>
          {texts.__('Show graph')}
        </button>
      </div>
      <div className="cvl-NodeTable-scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">{texts.__('Status')}</th>
              <th scope="col">{texts.__('Id')}</th>
              <th scope="col">{texts.__('Name')}</th>
              <th scope="col">{texts.__('Kind')}</th>
              <th scope="col">{texts.__('Started')}</th>
              <th scope="col">{texts.__('Run time')}</th>
            </tr>
          </thead>
          <tbody>
            {structure !== null &&
              nodes !== null &&
              ids.slice(0, limit).map(id => {
                const status = statusName(nodes.status[id]);
                const time = elapsed(nodes.startedAt[id], nodes.endedAt[id], now);
                return (
                  <tr
                    key={id}
                    className={id === model.selection ? 'cvl-mod-active' : undefined}
                    onClick={() => {
                      model.selection = id;
                    }}
                  >
                    <td>
                      <StatusIcon status={status} texts={texts} size={14} />{' '}
                      {statusWord(status, texts)}
                    </td>
                    <td>{id}</td>
                    <td>
                      <button type="button" className="cvl-Link" title={structure.names[id]}>
                        {structure.labels[id]}
                      </button>
                    </td>
                    <td>{structure.kinds[id]}</td>
                    <td>{formatTime(nodes.startedAt[id], now)}</td>
                    <td>{time === null ? '' : formatDuration(time)}</td>
                  </tr>
                );
              })}
          </tbody>
        </table>
        {ids.length > limit && (
          <button type="button" className="cvl-Button" onClick={() => setLimit(limit + STEP)}>
            {texts.__('Show more (%1 of %2)', limit, ids.length)}
          </button>
        )}
      </div>
    </div>
  );
}
