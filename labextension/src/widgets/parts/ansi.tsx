/** Terminal colours in logs: the eight colours and bold, by the classes JupyterLab has for outputs. */

import type { JSX } from 'react';

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
// eslint-disable-next-line no-control-regex
const SEQUENCE = /\x1b\[([0-9;]*)([A-Za-z])/g;

/** Text of one look. */
export interface IAnsiPart {
  text: string;
  className: string;
}

/** Cuts text at escape sequences; those that are not colours are left out. */
export function splitAnsi(text: string): IAnsiPart[] {
  const parts: IAnsiPart[] = [];
  let at = 0;
  let colour = '';
  let isBold = false;
  const push = (end: number) => {
    if (end > at) {
      const className = [colour, isBold ? 'ansi-bold' : ''].filter(Boolean).join(' ');
      parts.push({ text: text.slice(at, end), className });
    }
  };
  for (const match of text.matchAll(SEQUENCE)) {
    const start = match.index ?? 0;
    push(start);
    at = start + match[0].length;
    if (match[2] !== 'm') {
      continue;
    }
    for (const code of (match[1] || '0').split(';').map(Number)) {
      if (code === 0) {
        colour = '';
        isBold = false;
      } else if (code === 1) {
        isBold = true;
      } else if (code === 39) {
        colour = '';
      } else if (code >= 30 && code <= 37) {
        colour = `ansi-${COLOURS[code - 30]}-fg`;
      } else if (code >= 90 && code <= 97) {
        colour = `ansi-${COLOURS[code - 90]}-intense-fg`;
      }
    }
  }
  push(text.length);
  return parts;
}

/** Text as a terminal would show it; a carriage return starts the line again. */
export function AnsiText(props: { text: string }): JSX.Element {
  const text = props.text.replace(/\r\n/g, '\n').replace(/[^\n]*\r(?=[^\n])/g, '');
  return (
    <>
      {splitAnsi(text).map((part, index) =>
        part.className === '' ? (
          part.text
        ) : (
          <span key={index} className={part.className}>
            {part.text}
          </span>
        )
      )}
    </>
  );
}
