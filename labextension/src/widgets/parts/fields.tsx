/** Small parts of panels: sections, rows of facts, copy buttons. */

import type { JSX, ReactNode } from 'react';
import { useEffect, useRef, useState } from 'react';

import type { ITexts } from '../../graph/style';

/** A titled part that can be folded. */
export function Section(props: {
  title: string;
  children: ReactNode;
  aside?: ReactNode;
  isClosed?: boolean;
}): JSX.Element {
  return (
    <details className="cvl-Section" open={props.isClosed !== true}>
      <summary>
        <span className="cvl-Section-title">{props.title}</span>
        {props.aside !== undefined && <span className="cvl-Section-aside">{props.aside}</span>}
      </summary>
      <div className="cvl-Section-body">{props.children}</div>
    </details>
  );
}

/** Names and values; rows without value are left out. */
export function Facts(props: { rows: readonly [string, ReactNode][] }): JSX.Element {
  return (
    <dl className="cvl-Facts">
      {props.rows
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** Text on one line that is shortened in its middle; the end of an id tells it from its neighbours. */
export function MiddleText(props: { text: string; tail?: number }): JSX.Element {
  const at = Math.max(0, props.text.length - (props.tail ?? 6));
  return (
    <span className="cvl-Middle" title={props.text}>
      <span>{props.text.slice(0, at)}</span>
      <span>{props.text.slice(at)}</span>
    </span>
  );
}

/** Copies text and says so for a moment. */
export function CopyButton(props: {
  text: string;
  label: string;
  texts: ITexts;
  isIcon?: boolean;
}): JSX.Element {
  const [isDone, setDone] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    await navigator.clipboard.writeText(props.text);
    setDone(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setDone(false), 1500);
  };
  return (
    <button
      type="button"
      className={props.isIcon === true ? 'cvl-IconButton' : 'cvl-Button'}
      title={props.label}
      aria-label={props.label}
      onClick={() => void copy()}
    >
      <Glyph path={isDone ? 'M3 8.5 6.5 12 13 4.5' : COPY} />
      {props.isIcon !== true && (isDone ? props.texts.__('Copied') : props.label)}
    </button>
  );
}

/** A line drawing of 16 by 16. */
export function Glyph(props: { path: string }): JSX.Element {
  return (
    <svg className="cvl-Glyph" viewBox="0 0 16 16" aria-hidden="true">
      <path d={props.path} />
    </svg>
  );
}

/** A graph of three boxes, for places where there is none to show. */
export function EmptyPicture(): JSX.Element {
  return (
    <svg className="cvl-Empty-picture" viewBox="0 0 96 64" aria-hidden="true">
      <path d="M48 18v8M48 26C48 36 22 30 22 42M48 26c0 10 26 4 26 16" />
      <rect x="34" y="6" width="28" height="13" rx="5" />
      <rect x="8" y="42" width="28" height="13" rx="5" />
      <rect x="60" y="42" width="28" height="13" rx="5" />
    </svg>
  );
}

export const COPY = 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3';
export const DOWNLOAD = 'M8 2v8.5M4.5 7.5 8 11l3.5-3.5M2.5 13.5h11';
export const BACK = 'M10 3 5 8l5 5';
export const STOP = 'M4 4h8v8H4z';
export const OPEN = 'M6.5 3h-3.5v10h10V9.5M9 3h4v4M13 3 7.5 8.5';
export const RERUN = 'M3 8a5 5 0 1 0 1.7-3.8M2.8 2.2v2.9h2.9';
export const TABLE = 'M2.5 3h11v10h-11zM2.5 6.4h11M2.5 9.7h11M6.5 6.4V13';
export const TRASH = 'M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 9h6.8l.6-9M6.7 7v4M9.3 7v4';
