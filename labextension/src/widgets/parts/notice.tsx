/** What is told when it happens: on the page, or to screen readers alone. */

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

/** Told to screen readers each time it changes. */
export function Announcement(props: { text: string }): JSX.Element {
  return (
    <span className="cvl-visuallyHidden" role="status">
      {props.text}
    </span>
  );
}
