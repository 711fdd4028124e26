/** What is told when it happens: on the page, or to screen readers alone. */

import type { JSX } from 'react';

/** What went wrong, in a line of its own; nothing where there is no error. */
export function Notice(props: { text: string }): JSX.Element | null {
  return props.text === '' ? null : (
    <p className="cvl-Notice" role="alert">
      {props.text}
    </p>
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
