/** What the list says when there is nothing in it: how to begin. */

import type { JSX } from 'react';

import type { ITexts } from '../../graph/style';
import type { DispatchesModel } from '../../model';
import { CopyButton, EmptyPicture, PythonSource } from '../parts';

const EXAMPLE = `import covalent_lab as ct

@ct.electron
def square(x):
    return x * x

@ct.lattice
def workflow(x):
    return square(x) + 1

ct.dispatch(workflow)(4)`;

/** How to begin; or a word about the filter, and the way out of it. */
export function EmptyList(props: { model: DispatchesModel; texts: ITexts }): JSX.Element {
  const { model, texts } = props;
  if (model.hasFilter) {
    return (
      <div className="cvl-Empty-none">
        <p>{texts.__('No dispatch matches.')}</p>
        <button type="button" className="cvl-Button" onClick={() => void model.showAll()}>
          {texts.__('Show all dispatches')}
        </button>
      </div>
    );
  }
  return (
    <div className="cvl-Empty">
      <EmptyPicture />
      <h3>{texts.__('No workflows yet')}</h3>
      <p>{texts.__('Run this in a notebook and watch it here:')}</p>
      <PythonSource source={EXAMPLE} />
      <CopyButton text={EXAMPLE} label={texts.__('Copy example')} texts={texts} />
    </div>
  );
}
