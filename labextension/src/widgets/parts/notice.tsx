/** What went wrong, in a line of its own. */

import type { JSX } from 'react';

/** Told to screen readers when it appears; nothing where there is no error. */
export function Notice(props: { text: string }): JSX.Element | null {
  return props.text === '' ? null : (
    <p className="cvl-Notice" role="alert">
      {props.text}
    </p>
  );
}
