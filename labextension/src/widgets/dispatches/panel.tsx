/** The side panel: the list of dispatches. Shows the model; every action is handed in. */

import type { Message } from '@lumino/messaging';
import type { JSX } from 'react';
import { useRef, useState } from 'react';

import type { ITexts } from '../../graph/style';
import type { DispatchesModel } from '../../model';
import { ComponentWidget, Glyph, Notice, TABLE, useSignal } from '../parts';
import { EmptyList } from './empty';
import { Connection, SearchBox, StatusTabs } from './filters';
import { DispatchRow } from './row';

/** What can be done with a dispatch. */
export interface IDispatchActions {
  open(dispatchId: string): void;
  cancel(dispatchId: string): void;
  /** Runs it again; with `reusesResults` only what did not complete. */
  rerun(dispatchId: string, reusesResults: boolean): void;
  remove(dispatchId: string): void;
  copyId(dispatchId: string): void;
  /** Shows the list as a table in the main area. */
  openTable(): void;
  /** Shows where tasks can run; without it there is no button for that. */
  openExecutors?(): void;
}

const MACHINES = 'M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.1M5 11h.1M8 5h3M8 11h3';
const REFRESH = 'M13 8a5 5 0 1 1-1.6-3.7M13.2 2.2v2.9h-2.9';

type Sort = DispatchesModel['view']['sort'];

/** What the list shows, and what can be done in it. */
interface IListOptions {
  model: DispatchesModel;
  texts: ITexts;
  actions: IDispatchActions;
}

/** The list as a widget of the left area. */
export class DispatchesPanel extends ComponentWidget<IListOptions> {
  constructor(options: IListOptions) {
    super(DispatchList, options, 'cvl-Dispatches');
  }

  /** Puts the keyboard on the list, or on the search where it is empty. */
  protected onActivateRequest(msg: Message): void {
    const list = this.node.querySelector<HTMLElement>('[role=grid]');
    (list ?? this.node.querySelector<HTMLElement>('input'))?.focus();
  }
}

/** The list itself, with search, order, tabs and state of the connection. */
export function DispatchList(props: IListOptions): JSX.Element {
  const { model, texts } = props;
  useSignal(model.changed);
  return (
    <div className="cvl-Dispatches-body">
      <div className="cvl-Dispatches-head">
        <div className="cvl-Dispatches-title">
          <h2>{texts.__('Covalent')}</h2>
          <Connection model={model} texts={texts} />
          {props.actions.openExecutors !== undefined && (
            <button
              type="button"
              className="cvl-IconButton"
              title={texts.__('Executors')}
              aria-label={texts.__('Show the executors')}
              onClick={props.actions.openExecutors}
            >
              <Glyph path={MACHINES} />
            </button>
          )}
          <button
            type="button"
            className="cvl-IconButton"
            title={texts.__('Open as a table')}
            aria-label={texts.__('Open the list as a table')}
            onClick={props.actions.openTable}
          >
            <Glyph path={TABLE} />
          </button>
          <button
            type="button"
            className={`cvl-IconButton${model.isLoading ? ' cvl-mod-busy' : ''}`}
            title={texts.__('Refresh')}
            aria-label={texts.__('Refresh the list')}
            onClick={() => void model.refresh()}
          >
            <Glyph path={REFRESH} />
          </button>
        </div>
        <SearchRow model={model} texts={texts} />
        <StatusTabs model={model} texts={texts} />
      </div>
      <Notice message={model.error} texts={texts} retry={() => void model.refresh()} />
      {model.items.length > 0 ? (
        <Rows {...props} />
      ) : (
        model.isLoaded && <EmptyList model={model} texts={texts} />
      )}
    </div>
  );
}

function SearchRow(props: { model: DispatchesModel; texts: ITexts }): JSX.Element {
  const { model, texts } = props;
  const orders: [string, Sort, 'asc' | 'desc'][] = [
    [texts.__('Newest first'), 'created_at', 'desc'],
    [texts.__('Oldest first'), 'created_at', 'asc'],
    [texts.__('Last started'), 'started_at', 'desc'],
    [texts.__('Last ended'), 'ended_at', 'desc'],
    [texts.__('Name A–Z'), 'name', 'asc'],
    [texts.__('Name Z–A'), 'name', 'desc'],
    [texts.__('Longest first'), 'runtime', 'desc'],
    [texts.__('Shortest first'), 'runtime', 'asc'],
    [texts.__('By status'), 'status', 'asc']
  ];
  const current = orders.findIndex(
    ([, sort, direction]) => sort === model.view.sort && direction === model.view.direction
  );
  return (
    <div className="cvl-Dispatches-search">
      <SearchBox model={model} texts={texts} />
      <select
        aria-label={texts.__('Order of the list')}
        value={current}
        onChange={event => {
          const [, sort, direction] = orders[Number(event.target.value)];
          void model.show({ sort, direction });
        }}
      >
        {orders.map(([label], index) => (
          <option key={label} value={index}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

function Rows(props: IListOptions): JSX.Element {
  const { model, texts, actions } = props;
  const [activeId, setActiveId] = useState<string | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const active = model.items.findIndex(item => item.dispatch_id === activeId);
  const activate = (index: number) => {
    const item = model.items[Math.max(0, Math.min(model.items.length - 1, index))];
    setActiveId(item.dispatch_id);
    document.getElementById(rowId(item.dispatch_id))?.scrollIntoView({ block: 'nearest' });
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.target !== list.current) {
      return;
    }
    const current = model.items[active];
    switch (event.key) {
      case 'ArrowDown':
        activate(active + 1);
        break;
      case 'ArrowUp':
        activate(Math.max(0, active - 1));
        break;
      case 'Home':
        activate(0);
        break;
      case 'End':
        activate(model.items.length - 1);
        break;
      case 'Enter':
        if (current !== undefined) {
          actions.open(current.dispatch_id);
        }
        break;
      case 'Delete':
      case 'Backspace':
        if (current !== undefined) {
          actions.remove(current.dispatch_id);
        }
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="cvl-Dispatches-scroll">
      <div
        ref={list}
        className="cvl-Rows"
        role="grid"
        tabIndex={0}
        aria-label={texts.__('Dispatches')}
        aria-activedescendant={active >= 0 && activeId !== null ? rowId(activeId) : undefined}
        onKeyDown={onKeyDown}
        onFocus={event => {
          if (active < 0 && event.target === list.current) {
            activate(0);
          }
        }}
      >
        {model.items.map(item => (
          <DispatchRow
            key={item.dispatch_id}
            id={rowId(item.dispatch_id)}
            summary={item}
            isActive={item.dispatch_id === activeId}
            texts={texts}
            actions={actions}
            onActivate={() => setActiveId(item.dispatch_id)}
          />
        ))}
      </div>
      {model.items.length < model.total && (
        <button
          type="button"
          className="cvl-Button cvl-Dispatches-more"
          disabled={model.isLoading}
          onClick={() => void model.loadMore()}
        >
          {texts.__('Load more (%1 of %2 shown)', model.items.length, model.total)}
        </button>
      )}
    </div>
  );
}

function rowId(dispatchId: string): string {
  return `cvl-dispatch-${dispatchId}`;
}
