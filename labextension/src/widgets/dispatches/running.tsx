/** The number of running dispatches, for the status bar. */

import type { JSX } from 'react';

import type { ITexts } from '../../graph/style';
import type { OverviewModel } from '../../model';
import { ComponentWidget, StatusIcon, useSignal } from '../parts';

interface IRunningOptions {
  overview: OverviewModel;
  texts: ITexts;
  showList: () => void;
}

/** The number as a widget. */
export class RunningStatus extends ComponentWidget<IRunningOptions> {
  constructor(options: IRunningOptions) {
    super(Running, options, 'cvl-Running');
  }
}

/** A button that shows the list. */
export function Running(props: IRunningOptions): JSX.Element {
  const { overview, texts } = props;
  useSignal(overview.changed);
  const { running } = overview;
  return (
    <button
      type="button"
      className="cvl-Running-button"
      title={texts.__('Covalent dispatches that run; click for the list')}
      onClick={props.showList}
    >
      <StatusIcon status={running > 0 ? 'RUNNING' : 'NEW_OBJECT'} texts={texts} size={12} />{' '}
      {texts.__('Covalent: %1 running', running)}
    </button>
  );
}
