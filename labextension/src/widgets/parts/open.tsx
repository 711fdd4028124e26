/** A button that shows a dispatch. */

import type { JSX, ReactNode } from 'react';

import type { IOpenRequest } from '../../contract/open';
import { requestOpen } from '../../contract/open';

/** Asks the page to show a dispatch, or one of its nodes. */
export function OpenLink(props: {
  request: IOpenRequest;
  className: string;
  title: string;
  children: ReactNode;
}): JSX.Element {
  const { dispatchId, nodeId } = props.request;
  return (
    <button
      type="button"
      className={props.className}
      title={props.title}
      onClick={event => requestOpen(event.currentTarget, { dispatchId, nodeId })}
    >
      {props.children}
    </button>
  );
}
