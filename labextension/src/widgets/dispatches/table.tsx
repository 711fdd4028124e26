/** The list of dispatches as a table in the main area: figures, columns to sort by, pages, selection, deletion. */

import type { JSX } from 'react';
import { useState } from 'react';

import type { Summary } from '../../contract';
import type { ITexts } from '../../graph/style';
import { elapsed, runTime, statusWord } from '../../graph/style';
import type { DispatchesModel, OverviewModel } from '../../model';
import { canDelete } from '../../model';
import {
  ComponentWidget,
  CopyButton,
  MiddleText,
  Notice,
  Pager,
  StatusIcon,
  Table,
  Time,
  useNow,
  useSignal,
  type IColumn
} from '../parts';
import { SummaryCards } from './cards';
import { EmptyList } from './empty';
import { Connection, SearchBox, StatusTabs } from './filters';

type Sort = DispatchesModel['view']['sort'];
type Filter = DispatchesModel['filter'];

/** What the table shows, and what can be done in it. */
export interface ITableOptions {
  /** Holds one page at a time. */
  model: DispatchesModel;
  overview: OverviewModel;
  texts: ITexts;
  open: (dispatchId: string) => void;
  /** Asks, then deletes; resolves when it is done or was refused. */
  remove: (dispatchIds: readonly string[]) => Promise<void>;
  /** Shows two dispatches side by side. */
  compare: (dispatchIds: readonly string[]) => void;
  removeMatching: (filter: Filter, count: number) => Promise<void>;
}

/** The table as a widget; owns the model of its page. */
export class DispatchTable extends ComponentWidget<ITableOptions> {
  constructor(options: ITableOptions) {
    super(TableView, options, 'cvl-DispatchTable');
  }

  dispose(): void {
    if (!this.isDisposed) {
      super.dispose();
      this.props.model.dispose();
    }
  }
}

/** Figures, filters, table and pages. */
export function TableView(props: ITableOptions): JSX.Element {
  const { model, overview, texts } = props;
  useSignal(model.changed);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const items = model.items;
  const chosenItems = items.filter(item => chosen.has(item.dispatch_id));
  const selected = chosenItems.map(item => item.dispatch_id);
  return (
    <div className="cvl-Page">
      <SummaryCards overview={overview} model={model} texts={texts} />
      <div className="cvl-Page-tools">
        <div className="cvl-Dispatches-search">
          <SearchBox model={model} texts={texts} />
        </div>
        <StatusTabs model={model} texts={texts} />
        <span className="cvl-Header-space" />
        <Connection model={model} texts={texts} />
        <button
          type="button"
          className="cvl-Button"
          disabled={selected.length !== 2}
          title={texts.__('Select two dispatches to see them side by side')}
          onClick={() => props.compare(oldestFirst(items, selected))}
        >
          {texts.__('Compare selected')}
        </button>
        <button
          type="button"
          className="cvl-Button cvl-mod-danger"
          disabled={!chosenItems.some(item => canDelete(item.status))}
          onClick={() => void props.remove(selected)}
        >
          {texts.__('Delete selected (%1)…', selected.length)}
        </button>
        <button
          type="button"
          className="cvl-Button cvl-mod-danger"
          disabled={model.total === 0}
          onClick={() => void props.removeMatching(model.filter, model.total)}
        >
          {model.hasFilter
            ? texts.__('Delete all %1 that match…', model.total)
            : texts.__('Delete all %1…', model.total)}
        </button>
      </div>
      <Notice message={model.error} texts={texts} retry={() => void model.refresh()} />
      {items.length === 0 && model.isLoaded ? (
        <EmptyList model={model} texts={texts} />
      ) : (
        <div className="cvl-DispatchTable-scroll">
          <Rows {...props} selected={selected} choose={ids => setChosen(new Set(ids))} />
        </div>
      )}
      <Pager
        page={model.page}
        pages={model.pages}
        texts={texts}
        show={page => void model.showPage(page)}
      />
    </div>
  );
}

function oldestFirst(items: readonly Summary[], ids: readonly string[]): string[] {
  return items
    .filter(item => ids.includes(item.dispatch_id))
    .sort((a, b) => a.created_at - b.created_at)
    .map(item => item.dispatch_id);
}

function Rows(
  props: ITableOptions & { selected: readonly string[]; choose: (ids: readonly string[]) => void }
): JSX.Element {
  const { model, texts, selected, choose } = props;
  const columns: IColumn<Sort>[] = [
    { label: texts.__('Id'), sort: 'id' },
    { label: texts.__('Workflow'), sort: 'name' },
    { label: texts.__('Run time'), sort: 'runtime', first: 'desc' },
    { label: texts.__('Started'), sort: 'started_at', first: 'desc' },
    { label: texts.__('Ended'), sort: 'ended_at', first: 'desc' },
    { label: texts.__('Status'), sort: 'status' }
  ];
  const all = model.items.map(item => item.dispatch_id);
  return (
    <Table
      caption={texts.__('Dispatches')}
      columns={columns}
      order={model.view}
      sortBy={order => void model.show(order)}
      isBusy={model.isLoading}
      before={
        <th scope="col" className="cvl-Table-check">
          <input
            type="checkbox"
            aria-label={texts.__('Select all on this page')}
            checked={all.length > 0 && selected.length === all.length}
            ref={box => {
              if (box !== null) {
                box.indeterminate = selected.length > 0 && selected.length < all.length;
              }
            }}
            onChange={event => choose(event.target.checked ? all : [])}
          />
        </th>
      }
    >
      {model.items.map(item => (
        <Row
          key={item.dispatch_id}
          item={item}
          texts={texts}
          open={props.open}
          isSelected={selected.includes(item.dispatch_id)}
          select={isSelected =>
            choose(
              isSelected
                ? [...selected, item.dispatch_id]
                : selected.filter(id => id !== item.dispatch_id)
            )
          }
        />
      ))}
    </Table>
  );
}

function Row(props: {
  item: Summary;
  texts: ITexts;
  isSelected: boolean;
  open: (dispatchId: string) => void;
  select: (isSelected: boolean) => void;
}): JSX.Element {
  const { item, texts } = props;
  const isRunning = item.status === 'RUNNING' || item.status === 'STARTING';
  const now = useNow(isRunning);
  const runtime = elapsed(item.started_at, item.ended_at, now);
  const name = item.name || texts.__('unnamed');
  return (
    <tr
      className={`cvl-mod-dispatch${props.isSelected ? ' cvl-mod-active' : ''}`}
      data-dispatch-id={item.dispatch_id}
      data-status={item.status}
      title={item.error ?? undefined}
      onDoubleClick={() => props.open(item.dispatch_id)}
    >
      <td className="cvl-Table-check">
        <input
          type="checkbox"
          aria-label={texts.__('Select %1', name)}
          checked={props.isSelected}
          onChange={event => props.select(event.target.checked)}
        />
      </td>
      <td className="cvl-Table-id">
        <MiddleText text={item.dispatch_id} />
        <CopyButton text={item.dispatch_id} label={texts.__('Copy id')} texts={texts} isIcon />
      </td>
      <td>
        <button type="button" className="cvl-Link" onClick={() => props.open(item.dispatch_id)}>
          {name}
        </button>
      </td>
      <td>{runTime(runtime, isRunning)}</td>
      <td>
        <Time at={item.started_at} now={now} texts={texts} />
      </td>
      <td>
        <Time at={item.ended_at} now={now} texts={texts} />
      </td>
      <td>
        <StatusIcon status={item.status} texts={texts} size={14} /> {statusWord(item.status, texts)}{' '}
        <span className="cvl-Muted" title={texts.__('Completed tasks')}>
          {item.completed}/{item.total}
        </span>
      </td>
    </tr>
  );
}
