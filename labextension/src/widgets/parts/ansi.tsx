/** Terminal colours in logs, as notebooks show them: by the classes JupyterLab has for outputs, where there is one. */

import type { JSX } from 'react';

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
// eslint-disable-next-line no-control-regex
const SEQUENCE = /\x1b\[([0-9;]*)([A-Za-z])/g;

/** Text of one look; `style` is for colours that have no class. */
export interface IAnsiPart {
  text: string;
  className: string;
  style?: { color?: string; backgroundColor?: string };
}

/** What the codes so far have set. */
interface ILook {
  foreground: string;
  background: string;
  isBold: boolean;
  isUnderlined: boolean;
}

const PLAIN: ILook = { foreground: '', background: '', isBold: false, isUnderlined: false };

/** Cuts text at escape sequences; those that are not colours are left out. */
export function splitAnsi(text: string): IAnsiPart[] {
  const parts: IAnsiPart[] = [];
  let at = 0;
  let look = PLAIN;
  const push = (end: number) => {
    if (end > at) {
      parts.push({ text: text.slice(at, end), ...appearance(look) });
    }
  };
  for (const match of text.matchAll(SEQUENCE)) {
    const start = match.index ?? 0;
    push(start);
    at = start + match[0].length;
    if (match[2] === 'm') {
      look = lookAfter(look, (match[1] || '0').split(';').map(Number));
    }
  }
  push(text.length);
  return parts;
}

function lookAfter(before: ILook, codes: number[]): ILook {
  const look = { ...before };
  while (codes.length > 0) {
    const code = codes.shift() as number;
    const layer = code < 40 || (code >= 90 && code < 100) ? 'foreground' : 'background';
    if (code === 0) {
      Object.assign(look, PLAIN);
    } else if (code === 1 || code === 22) {
      look.isBold = code === 1;
    } else if (code === 4 || code === 24) {
      look.isUnderlined = code === 4;
    } else if (code === 39 || code === 49) {
      look[layer] = '';
    } else if (code === 38 || code === 48) {
      look[layer] = wideColour(codes);
    } else if ((code >= 30 && code <= 37) || (code >= 40 && code <= 47)) {
      look[layer] = `ansi-${COLOURS[code % 10]}`;
    } else if ((code >= 90 && code <= 97) || (code >= 100 && code <= 107)) {
      look[layer] = `ansi-${COLOURS[code % 10]}-intense`;
    }
  }
  return look;
}

/** Takes the rest of a colour of 256 (`5;n`) or of all (`2;r;g;b`) from the codes. */
function wideColour(codes: number[]): string {
  const mode = codes.shift();
  if (mode === 2) {
    return `rgb(${codes.splice(0, 3).join(', ')})`;
  }
  const number = mode === 5 ? (codes.shift() ?? -1) : -1;
  if (number < 0 || number > 255) {
    return '';
  }
  if (number < 16) {
    return `ansi-${COLOURS[number % 8]}${number < 8 ? '' : '-intense'}`;
  }
  if (number >= 232) {
    const grey = 8 + 10 * (number - 232);
    return `rgb(${grey}, ${grey}, ${grey})`;
  }
  const cube = number - 16;
  const level = (value: number) => (value === 0 ? 0 : 55 + 40 * value);
  const levels = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level);
  return `rgb(${levels.join(', ')})`;
}

function appearance(look: ILook): Pick<IAnsiPart, 'className' | 'style'> {
  const { foreground, background } = look;
  const isClass = (name: string) => name.startsWith('ansi-');
  const className = [
    isClass(foreground) ? `${foreground}-fg` : '',
    isClass(background) ? `${background}-bg` : '',
    look.isBold ? 'ansi-bold' : '',
    look.isUnderlined ? 'ansi-underline' : ''
  ];
  const style = {
    ...(foreground !== '' && !isClass(foreground) ? { color: foreground } : {}),
    ...(background !== '' && !isClass(background) ? { backgroundColor: background } : {})
  };
  return {
    className: className.filter(Boolean).join(' '),
    ...(Object.keys(style).length > 0 ? { style } : {})
  };
}

/** Text as a terminal would show it; a carriage return starts the line again. */
export function AnsiText(props: { text: string }): JSX.Element {
  const text = props.text.replace(/\r\n/g, '\n').replace(/[^\n]*\r(?=[^\n])/g, '');
  return (
    <>
      {splitAnsi(text).map((part, index) =>
        part.className === '' && part.style === undefined ? (
          part.text
        ) : (
          <span key={index} className={part.className} style={part.style}>
            {part.text}
          </span>
        )
      )}
    </>
  );
}
