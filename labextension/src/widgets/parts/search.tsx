/** A field that searches while one types. */

import type { JSX } from 'react';
import { useEffect, useRef, useState } from 'react';

import type { ITexts } from '../../graph/style';
import { Announcement } from './notice';

const DELAY_MS = 250;

/** Asks for a search once typing pauses; texts shorter than `minimum` ask for none, and say so. */
export function SearchInput(props: {
  /** What is searched for now; the field follows it when something else changes it. */
  shown: string;
  placeholder: string;
  label: string;
  texts: ITexts;
  search: (text: string) => void;
  /** How much was found; null while that is not known. */
  found: number | null;
  minimum?: number;
}): JSX.Element {
  const { shown, texts, found, minimum = 0 } = props;
  const told = useRef('');
  if (shown === '') {
    told.current = '';
  } else if (found !== null) {
    told.current = texts.__('%1 found', found);
  }
  const [text, setText] = useState(shown);
  const asked = useRef(shown);
  const act = useRef(props.search);
  act.current = props.search;
  const isShort = text.length > 0 && text.length < minimum;
  const wanted = isShort ? '' : text;
  useEffect(() => {
    if (shown !== asked.current) {
      asked.current = shown;
      setText(shown);
    }
  }, [shown]);
  useEffect(() => {
    if (wanted === asked.current) {
      return;
    }
    const timer = setTimeout(() => {
      asked.current = wanted;
      act.current(wanted);
    }, DELAY_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  return (
    <>
      <input
        type="search"
        placeholder={props.placeholder}
        aria-label={props.label}
        value={text}
        onChange={event => setText(event.target.value)}
      />
      <span className="cvl-Search-hint" role="status">
        {isShort && texts._n('Type %1 character or more.', 'Type %1 characters or more.', minimum)}
      </span>
      <Announcement text={told.current} />
    </>
  );
}
