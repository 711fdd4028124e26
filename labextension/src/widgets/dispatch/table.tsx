/** All nodes of a dispatch as a table: the way to the graph for keyboard and screen reader. */

import type { Message } from '@lumino/messaging';
import type { JSX } from 'react';
import { useMemo, useState } from 'react';

import type { INodeStates } from '../../graph/states';
import {
  CANCELLED,
  COMPLETED,
  DISPATCHING,
  FAILED,
  PENDING,
  RUNNING,
  STARTING,
  isGoingOn,
  statusName
} from '../../graph/states';
import type { ITexts } from '../../graph/style';
import {
  elapsed,
  formatDuration,
  formatSize,
  kindWord,
  nodeWord,
  runTime,
  statusWord
} from '../../graph/style';
import type { IGraphStructure } from '../../graph/structure';
import type { DispatchModel } from '../../model';
import { ComponentWidget, StatusIcon, Table, Time, useNow, useSignal } from '../parts';

interface ITableProps {
  model: DispatchModel;
  texts: ITexts;
  showGraph: () => void;
}

const STEP = 200;
const ORDER = [FAILED, RUNNING, DISPATCHING, STARTING, PENDING, CANCELLED, COMPLETED];

/** The table as a widget. */
export class NodeTable extends ComponentWidget<ITableProps> {
  constructor(options: ITableProps) {
    super(Nodes, options, 'cvl-NodeTable');
  }

  protected onActivateRequest(msg: Message): void {
    this.node.querySelector('input')?.focus();
  }
}

function Nodes(props: ITableProps): JSX.Element {
  const { model, texts } = props;
  useSignal(model.changed);
  useSignal(model.selectionChanged);
  const [filter, setFilter] = useState('');
  const [limit, setLimit] = useState(STEP);
  const [chosen, setChosen] = useState<number | null>(null);
  const { structure, nodes } = model;
  const now = useNow(nodes?.status.some(isGoingOn) ?? false);
  const counts = useMemo(() => countStatuses(structure, nodes), [structure, nodes]);
  const status = chosen !== null && counts.has(chosen) ? chosen : null;
  const ids = useMemo(() => {
    const wanted = filter.trim().toLowerCase();
    return (structure?.labels ?? [])
      .map((_, id) => id)
      .filter(id => {
        const isParameter = structure?.kinds[id] === 'parameter';
        if (status !== null && (isParameter || nodes?.status[id] !== status)) {
          return false;
        }
        if (wanted === '') {
          return !isParameter;
        }
        const word = nodes === null ? '' : nodeWord(nodes, id, texts).toLowerCase();
        const name = structure?.names[id].toLowerCase() ?? '';
        return name.includes(wanted) || String(id) === wanted || word === wanted;
      });
  }, [structure, nodes, filter, status, texts]);
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
        <span className="cvl-Muted" role="status">
          {texts._n('%1 node', '%1 nodes', ids.length)}
        </span>
        <button type="button" className="cvl-Button" onClick={props.showGraph}>
          {texts.__('Show graph')}
        </button>
      </div>
      {counts.size > 1 && (
        <div
          className="cvl-Tabs cvl-NodeTable-statuses"
          role="group"
          aria-label={texts.__('Show only nodes of one status')}
        >
          {[...counts].map(([code, count]) => (
            <button
              key={code}
              type="button"
              role="checkbox"
              className="cvl-Tab"
              aria-checked={code === status}
              onClick={() => setChosen(code === status ? null : code)}
            >
              <StatusIcon status={statusName(code)} texts={texts} size={12} />
              {statusWord(statusName(code), texts)} <span className="cvl-Tab-count">{count}</span>
            </button>
          ))}
        </div>
      )}
      <div className="cvl-NodeTable-scroll">
        <Table
          caption={texts.__('Nodes')}
          columns={[
            { label: texts.__('Status') },
            { label: texts.__('Id') },
            { label: texts.__('Name') },
            { label: texts.__('Kind') },
            { label: texts.__('Started') },
            { label: texts.__('Run time') },
            { label: texts.__('CPU time') },
            {
              label: texts.__('Memory'),
              title: texts.__('Highest memory of the process that ran it')
            }
          ]}
        >
          {structure !== null &&
            nodes !== null &&
            ids.slice(0, limit).map(id => {
              const state = statusName(nodes.status[id]);
              const time = elapsed(nodes.startedAt[id], nodes.endedAt[id], now);
              return (
                <tr
                  key={id}
                  data-node-id={id}
                  className={id === model.selection ? 'cvl-mod-active' : undefined}
                  onClick={() => {
                    model.selection = id;
                  }}
                >
                  <td>
                    <StatusIcon status={state} texts={texts} size={14} />{' '}
                    {nodeWord(nodes, id, texts)}
                  </td>
                  <td>{id}</td>
                  <td>
                    <button type="button" className="cvl-Link" title={structure.names[id]}>
                      {structure.labels[id]}
                    </button>
                  </td>
                  <td>{kindWord(structure.kinds[id], texts)}</td>
                  <td>
                    <Time at={nodes.startedAt[id]} now={now} texts={texts} isShort />
                  </td>
                  <td>{runTime(time, isGoingOn(nodes.status[id]))}</td>
                  <td>{formatDuration(nodes.cpuS[id]) || '-'}</td>
                  <td>{formatSize(nodes.peakMemory[id]) || '-'}</td>
                </tr>
              );
            })}
        </Table>
        {ids.length > limit && (
          <button type="button" className="cvl-Button" onClick={() => setLimit(limit + STEP)}>
            {texts.__('Show more (%1 of %2)', limit, ids.length)}
          </button>
        )}
      </div>
    </div>
  );
}

/** How many nodes have each status that occurs, parameters left out; the ones to look after come first. */
function countStatuses(
  structure: IGraphStructure | null,
  nodes: INodeStates | null
): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  nodes?.status.forEach((code, id) => {
    if (structure?.kinds[id] !== 'parameter') {
      counts.set(code, (counts.get(code) ?? 0) + 1);
    }
  });
  const rank = (code: number) => ORDER.indexOf(code);
  return new Map([...counts].sort(([a], [b]) => rank(a) - rank(b)));
}
