/** The dispatches that nodes of a dispatch became, as a table. */

import type { JSX } from 'react';
import { useEffect, useState } from 'react';

import type { Summary } from '../../contract';
import { isTerminal } from '../../contract';
import type { ITexts } from '../../graph/style';
import { elapsed, runTime } from '../../graph/style';
import type { DispatchModel, IPartsOrder } from '../../model';
import { messageOf } from '../../model';
import {
  Notice,
  OpenLink,
  Pager,
  StatusIcon,
  Table,
  useNow,
  useSignal,
  type IColumn
} from '../parts';

const PAGE_SIZE = 50;

/** Sorted by the server; asked for again when a node has changed. */
export function Sublattices(props: { model: DispatchModel; texts: ITexts }): JSX.Element {
  const { model, texts } = props;
  useSignal(model.changed);
  const [order, setOrder] = useState<IPartsOrder>({ sort: 'created_at', direction: 'asc' });
  const [page, setPage] = useState(0);
  const [items, setItems] = useState<readonly Summary[]>([]);
  const [error, setError] = useState('');
  const states = [...(model.nodes?.parts.keys() ?? [])].map(id => model.nodes?.status[id]);
  const version = states.join();
  useEffect(() => {
    let isCurrent = true;
    model.sublattices(order, page * PAGE_SIZE, PAGE_SIZE).then(
      found => {
        if (isCurrent) {
          setItems(found.items);
          setError('');
        }
      },
      (reason: unknown) => {
        if (isCurrent) {
          setError(messageOf(reason));
        }
      }
    );
    return () => {
      isCurrent = false;
    };
  }, [model, order, page, version]);
  const columns: IColumn<IPartsOrder['sort']>[] = [
    { label: texts.__('Workflow'), sort: 'name' },
    { label: texts.__('Run time'), sort: 'runtime', first: 'desc' },
    { label: texts.__('Tasks'), sort: 'total', first: 'desc' }
  ];
  return (
    <>
      <Notice message={error} texts={texts} retry={() => setOrder({ ...order })} />
      <Table caption={texts.__('Sublattices')} columns={columns} order={order} sortBy={setOrder}>
        {items.map(item => (
          <Row key={item.dispatch_id} item={item} texts={texts} />
        ))}
      </Table>
      <Pager
        page={page}
        pages={Math.ceil((model.nodes?.parts.size ?? 0) / PAGE_SIZE)}
        texts={texts}
        show={setPage}
      />
    </>
  );
}

function Row(props: { item: Summary; texts: ITexts }): JSX.Element {
  const { item, texts } = props;
  const isRunning = !isTerminal(item.status);
  const now = useNow(isRunning);
  const runtime = elapsed(item.started_at, item.ended_at, now);
  return (
    <tr className="cvl-mod-dispatch" data-dispatch-id={item.dispatch_id} data-status={item.status}>
      <td>
        <StatusIcon status={item.status} texts={texts} size={14} />{' '}
        <OpenLink
          className="cvl-Link"
          request={{ dispatchId: item.dispatch_id }}
          title={texts.__('Show the graph of this sublattice')}
        >
          {item.name}
        </OpenLink>
      </td>
      <td>{runTime(runtime, isRunning)}</td>
      <td>
        {item.completed}/{item.total}
      </td>
    </tr>
  );
}
