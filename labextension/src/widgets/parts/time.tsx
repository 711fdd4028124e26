/** Times in tables and fields. */

import type { JSX } from 'react';

import { formatMoment, formatTime } from '../../graph/dates';
import type { ITexts } from '../../graph/style';

/** A moment, with the whole ISO time as its tooltip; `-` where there is none. */
export function Time(props: {
  at: number | null | undefined;
  now: number;
  texts: ITexts;
  /** In narrow places. */
  isShort?: boolean;
}): JSX.Element {
  const { at, now, texts } = props;
  const text = (props.isShort === true ? formatMoment : formatTime)(at, now, texts);
  const iso = text === '-' ? undefined : new Date(Number(at) * 1000).toISOString();
  return (
    <time dateTime={iso} title={iso}>
      {text}
    </time>
  );
}
