/** The log of the dispatcher: search, order, pages, download. */

import type { JSX } from 'react';
import { useState } from 'react';

import type { LogEntry } from '../../contract';
import type { ITexts } from '../../graph/style';
import type { LogModel } from '../../model';
import { messageOf } from '../../model';
import { saveBlob } from '../dagview/controls';
import {
  ComponentWidget,
  CopyButton,
  DOWNLOAD,
  Glyph,
  MiddleText,
  Notice,
  Pager,
  SearchInput,
  Table,
  Traceback,
  useSignal,
  type IColumn
} from '../parts';

interface ILogOptions {
  model: LogModel;
  texts: ITexts;
}

const LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];

/** The log as a widget. */
export class LogsView extends ComponentWidget<ILogOptions> {
  constructor(options: ILogOptions) {
    super(Logs, options, 'cvl-Logs');
  }
}

/** Tools, table, pages. */
export function Logs(props: ILogOptions): JSX.Element {
  const { model, texts } = props;
  useSignal(model.changed);
  const [error, setError] = useState('');
  const download = async () => {
    try {
      saveBlob(await model.file(), 'dispatcher.log');
      setError('');
    } catch (reason) {
      setError(messageOf(reason));
    }
  };
  const problem = error || model.error;
  return (
    <div className="cvl-Page">
      <div className="cvl-Settings-head">
        <h2>{texts.__('Log of Covalent')}</h2>
        <MiddleText text={model.path} tail={16} />
      </div>
      <div className="cvl-Page-tools">
        <div className="cvl-Dispatches-search">
          <SearchInput
            shown={model.view.search}
            placeholder={texts.__('Search messages')}
            label={texts.__('Search messages')}
            texts={texts}
            found={model.total}
            search={search => void model.show({ search })}
          />
          <select
            aria-label={texts.__('Least severity')}
            value={model.view.level}
            onChange={event => void model.show({ level: event.target.value })}
          >
            <option value="">{texts.__('All levels')}</option>
            {LEVELS.map(level => (
              <option key={level}>{level}</option>
            ))}
          </select>
        </div>
        <span className="cvl-Header-space" />
        <button
          type="button"
          className="cvl-Button"
          onClick={() => void model.showPage(model.page)}
        >
          {texts.__('Refresh')}
        </button>
        <button type="button" className="cvl-Button" onClick={() => void download()}>
          <Glyph path={DOWNLOAD} />
          {texts.__('Download')}
        </button>
      </div>
      <Notice message={problem} texts={texts} retry={() => void model.showPage(model.page)} />
      {model.items.length > 0 ? (
        <Entries {...props} />
      ) : (
        model.isLoaded && (
          <p className="cvl-Empty-none">
            {model.view.search !== '' || model.view.level !== ''
              ? texts.__('No message matches.')
              : texts.__(
                  'Nothing was logged yet. How much is written down is the setting sdk.log_level.'
                )}
          </p>
        )
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

function Entries(props: ILogOptions): JSX.Element {
  const { model, texts } = props;
  const columns: IColumn<'time' | 'level'>[] = [
    { label: texts.__('Time'), sort: 'time', first: 'desc' },
    { label: texts.__('Level'), sort: 'level', first: 'desc' },
    { label: texts.__('Message') }
  ];
  return (
    <Table
      className="cvl-Logs-table"
      caption={texts.__('Messages')}
      columns={columns}
      order={model.view}
      sortBy={order => void model.show(order)}
    >
      {model.items.map(entry => (
        <Entry key={entry.number} entry={entry} texts={texts} />
      ))}
    </Table>
  );
}

function Entry(props: { entry: LogEntry; texts: ITexts }): JSX.Element {
  const { entry, texts } = props;
  const [first, ...rest] = entry.message.split('\n');
  return (
    <tr>
      <td>{entry.time || '-'}</td>
      <td className={`cvl-Logs-level cvl-mod-${entry.level.toLowerCase()}`}>{entry.level}</td>
      <td className="cvl-Logs-message">
        <div>
          <span title={entry.logger}>{first}</span>
          <CopyButton text={entry.message} label={texts.__('Copy message')} texts={texts} isIcon />
        </div>
        {rest.length > 0 && (
          <details>
            <summary>{texts._n('%1 more line', '%1 more lines', rest.length)}</summary>
            <Traceback text={rest.join('\n')} />
          </details>
        )}
      </td>
    </tr>
  );
}
