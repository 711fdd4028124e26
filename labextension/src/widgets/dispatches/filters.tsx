/** What is above a list of dispatches: state of the connection, search, tabs. */

import type { JSX } from 'react';

import type { ITexts } from '../../graph/style';
import type { DispatchesModel, Tab } from '../../model';
import { TABS } from '../../model';
import { SearchInput, TabList } from '../parts';

/** Shorter texts would match nearly everything. */
const MIN_SEARCH = 3;

/** Whether the list is current. */
export function Connection(props: { model: DispatchesModel; texts: ITexts }): JSX.Element {
  const { model, texts } = props;
  const isConnected = model.feedState === 'connected';
  const words: Record<string, string> = {
    connected: texts.__('Live'),
    connecting: texts.__('Connecting…'),
    reconnecting: texts.__('Reconnecting…'),
    idle: texts.__('Not connected')
  };
  return (
    <span
      className={`cvl-Connection${isConnected ? ' cvl-mod-connected' : ''}`}
      role="status"
      title={isConnected ? texts.__('Updates arrive as they happen') : undefined}
    >
      {words[model.feedState]}
    </span>
  );
}

/** Searches while one types. */
export function SearchBox(props: { model: DispatchesModel; texts: ITexts }): JSX.Element {
  const { model, texts } = props;
  return (
    <SearchInput
      shown={model.view.search}
      placeholder={texts.__('Name or id')}
      label={texts.__('Search dispatches by name or id')}
      texts={texts}
      found={model.isLoading ? null : model.total}
      minimum={MIN_SEARCH}
      search={search => void model.show({ search })}
    />
  );
}

/** One tab a status, with how many dispatches have it. */
export function StatusTabs(props: { model: DispatchesModel; texts: ITexts }): JSX.Element {
  const { model, texts } = props;
  const words: Record<Tab, string> = {
    all: texts.__('All'),
    running: texts.__('Running'),
    completed: texts.__('Completed'),
    failed: texts.__('Failed'),
    cancelled: texts.__('Cancelled'),
    pending: texts.__('Pending')
  };
  return (
    <TabList
      tabs={TABS.map(key => ({
        key,
        label: (
          <>
            {words[key]} <span className="cvl-Tab-count">{model.count(key)}</span>
          </>
        )
      }))}
      chosen={model.view.tab}
      label={texts.__('Filter by status')}
      choose={tab => void model.show({ tab })}
    />
  );
}
