/** Executors in the main area: a card for each. Shows the model; every action is the model's or handed in. */

import type { Message } from '@lumino/messaging';
import type { JSX } from 'react';

import type { ITexts } from '../../graph/style';
import type { ExecutorsModel } from '../../model';
import { ComponentWidget, Glyph, Notice, RERUN, useSignal } from '../parts';
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
export class ExecutorsView extends ComponentWidget<IExecutorsOptions> {
  constructor(options: IExecutorsOptions) {
    super(ExecutorList, options, 'cvl-Executors');
  }

  dispose(): void {
    if (!this.isDisposed) {
      super.dispose();
      this.props.model.dispose();
    }
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.props.model.isWatched = true;
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.props.model.isWatched = false;
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.props.model.isWatched = this.isVisible;
  }
}

/** Head, and cards. */
export function ExecutorList(props: IExecutorsOptions): JSX.Element {
  const { model, texts } = props;
  useSignal(model.changed);
  return (
    <div className="cvl-Page">
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
