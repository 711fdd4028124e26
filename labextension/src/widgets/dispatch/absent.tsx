/** What stands in the place of a dispatch that cannot be shown: what may have happened, and where to go from there. */

import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { JSX } from 'react';
import { useState } from 'react';

import { formatTime } from '../../graph/dates';
import type { ITexts } from '../../graph/style';
import type { DispatchModel } from '../../model';
import { CopyButton, EmptyPicture, useSignal } from '../parts';

interface IAbsentOptions {
  model: DispatchModel;
  texts: ITexts;
  /** Shows the list, with all dispatches in it. */
  showList: () => void;
}

/** The page as a widget. */
export class AbsentPage extends ReactWidget {
  constructor(options: IAbsentOptions) {
    super();
    this._options = options;
    this.addClass('cvl-Absent-widget');
    this.node.tabIndex = -1;
  }

  protected onActivateRequest(msg: Message): void {
    this.node.focus();
  }

  protected render(): JSX.Element {
    return <Absent {...this._options} />;
  }

  private readonly _options: IAbsentOptions;
}

/** The page: for a dispatch that is not there, or one that the server cannot tell of. */
export function Absent(props: IAbsentOptions): JSX.Element | null {
  const { model, texts } = props;
  useSignal(model.changed);
  const [searchedAt, setSearchedAt] = useState<number | null>(null);
  if (model.error === '') {
    return null;
  }
  const { isMissing } = model;
  const search = async () => {
    await model.load();
    setSearchedAt(Date.now() / 1000);
  };
  return (
    <div className="cvl-Absent">
      <EmptyPicture />
      <div role="alert">
        <h2>
          {isMissing
            ? texts.__('There is no such dispatch')
            : texts.__('This dispatch cannot be shown')}
        </h2>
        {!isMissing && <p>{model.error}</p>}
      </div>
      <p className="cvl-Absent-id">
        <code>{model.dispatchId}</code>
        <CopyButton text={model.dispatchId} label={texts.__('Copy id')} texts={texts} isIcon />
      </p>
      {isMissing && (
        <>
          <p>{texts.__('This server does not know this id. What may have happened:')}</p>
          <ul>
            <li>{texts.__('The dispatch was deleted, in the list or by a program.')}</li>
            <li>
              {texts.__(
                'It belongs to another server or another database, as in a notebook that was run elsewhere.'
              )}
            </li>
            <li>{texts.__('It is being submitted, or a part of the id is missing.')}</li>
          </ul>
        </>
      )}
      <div className="cvl-Panel-buttons">
        <button type="button" className="cvl-Button cvl-mod-primary" onClick={props.showList}>
          {texts.__('Show all dispatches')}
        </button>
        <button type="button" className="cvl-Button" onClick={() => void search()}>
          {isMissing ? texts.__('Search again') : texts.__('Try again')}
        </button>
      </div>
      <p className="cvl-Muted" role="status">
        {searchedAt !== null &&
          texts.__('Tried again: %1', formatTime(searchedAt, searchedAt, texts))}
      </p>
    </div>
  );
}
