/** What did not work, and the way to go on. */

import type { JSX } from 'react';

import type { ITexts } from '../../graph/style';

/** A message with a button that asks again, if that can help; nothing where there is no message. */
export function Notice(props: {
  message: string;
  texts: ITexts;
  retry?: () => void;
}): JSX.Element | null {
  if (props.message === '') {
    return null;
  }
  return (
    <div className="cvl-Notice" role="alert">
      <span>{props.message}</span>
      {props.retry !== undefined && (
        <button type="button" className="cvl-Button" onClick={props.retry}>
          {props.texts.__('Try again')}
        </button>
      )}
    </div>
  );
}
