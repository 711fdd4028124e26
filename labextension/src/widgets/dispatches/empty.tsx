/** What the list says when there is nothing in it: how to begin. */

import type { JSX } from 'react';

import type { ITexts } from '../../graph/style';
import { CopyButton, PythonSource } from '../parts';

const EXAMPLE = `import covalent_lab as ct

square = ct.electron(lambda x: x * x)
workflow = ct.lattice(lambda x: square(x) + 1)
ct.dispatch(workflow)(4)`;

/** A hint, or a word about the filter. */
export function EmptyList(props: { texts: ITexts; hasFilter: boolean }): JSX.Element {
  const { texts } = props;
  if (props.hasFilter) {
    return <p className="cvl-Empty-none">{texts.__('No dispatch matches.')}</p>;
  }
  return (
    <div className="cvl-Empty">
      <svg className="cvl-Empty-picture" viewBox="0 0 96 64" aria-hidden="true">
        <path d="M48 18v8M48 26C48 36 22 30 22 42M48 26c0 10 26 4 26 16" />
        <rect x="34" y="6" width="28" height="13" rx="5" />
        <rect x="8" y="42" width="28" height="13" rx="5" />
        <rect x="60" y="42" width="28" height="13" rx="5" />
      </svg>
      <h3>{texts.__('No workflows yet')}</h3>
      <p>{texts.__('Run this in a notebook and watch it here:')}</p>
      <PythonSource source={EXAMPLE} />
      <CopyButton text={EXAMPLE} label={texts.__('Copy example')} texts={texts} />
    </div>
  );
}
