/** Executors in the main area: a card for each. Shows the model; every action is the model's or handed in. */

import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { JSX } from 'react';

import type { ITexts } from '../../graph/style';
import type { ExecutorsModel } from '../../model';
import { Glyph, Notice, RERUN, useSignal } from '../parts';
import { ExecutorCard } from './card';
import { ClusterPart } from './cluster';

/** What the view shows, and what can be done in it. */
export interface IExecutorsOptions {
  model: ExecutorsModel;
  texts: ITexts;
  openDispatch: (dispatchId: string) => void;
  /** Opens a page that an executor names, as a dashboard. */
  openLink: (url: string) => void;
}

/** The view as a widget; owns its model, which is watched while the view can be seen. */
export class ExecutorsView extends ReactWidget {
  constructor(options: IExecutorsOptions) {
    super();
    this._options = options;
    this.addClass('cvl-Executors');
  }

  dispose(): void {
    if (!this.isDisposed) {
      super.dispose();
      this._options.model.dispose();
    }
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._options.model.isWatched = true;
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._options.model.isWatched = false;
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._options.model.isWatched = this.isVisible;
  }

  protected render(): JSX.Element {
    return <ExecutorList {...this._options} />;
  }

  private readonly _options: IExecutorsOptions;
}

/** Head, and cards. */
export function ExecutorList(props: IExecutorsOptions): JSX.Element {
  const { model, texts } = props;
  useSignal(model.changed);
  return (
    <div className="cvl-Executors-body">
      <div className="cvl-Executors-head">
        <h2>{texts.__('Executors')}</h2>
        <button type="button" className="cvl-Button" onClick={() => void model.refresh()}>
          <Glyph path={RERUN} />
          {texts.__('Refresh')}
        </button>
      </div>
      <p className="cvl-Muted">
        {texts.__(
          'Where tasks run. A check asks an executor how it is; a test runs a small task on it.'
        )}
      </p>
      <Notice message={model.error} texts={texts} retry={() => void model.refresh()} />
      {!model.isLoaded && model.error === '' && (
        <p className="cvl-Muted" role="status">
          {texts.__('Loading…')}
        </p>
      )}
      {model.isLoaded && model.items.length === 0 && (
        <p className="cvl-Empty-none">
          {texts.__(
            'This server found no executors. Check that covalent-lab is installed as a whole (pip check), then refresh.'
          )}
        </p>
      )}
      <div className="cvl-Executors-cards">
        {model.items.map(item => (
          <ExecutorCard key={item.view.name} state={item} {...props}>
            {item.view.name === 'dask' && <ClusterPart {...props} />}
          </ExecutorCard>
        ))}
      </div>
    </div>
  );
}
