/** A traceback as notebooks show it: colours of its own if it has some, otherwise the usual ones for its parts. */

import type { JSX } from 'react';

import { AnsiText } from './ansi';
import { tokenizePython } from './python';

const PLACE = /^(\s*File )("[^"]*")(, line )(\d+)(?:(, in )(.*))?$/;
const FAILURE = /^([\w.]+)(: |$)(.*)$/;
const MARKERS = /^[ \t]*[~^]+[ \t~^]*$/;

/** Text that Python or IPython wrote about an exception, and what was printed before it. */
export function Traceback(props: { text: string }): JSX.Element {
  const { text } = props;
  return (
    <pre className="cvl-Log cvl-mod-stderr" tabIndex={0}>
      {text.includes('\x1b[') ? <AnsiText text={text} /> : <Plain text={text} />}
    </pre>
  );
}

function Plain(props: { text: string }): JSX.Element {
  let isInside = false;
  const lines = props.text.split('\n').filter(line => !MARKERS.test(line));
  return (
    <>
      {lines.map((line, index) => {
        isInside = isInside || line.startsWith('Traceback (most recent call last)');
        const end = index < lines.length - 1 ? '\n' : '';
        const place = PLACE.exec(line);
        if (!isInside || line.trim() === '') {
          return line + end;
        }
        if (place !== null) {
          const [, before, file, middle, number, inWord = '', name = ''] = place;
          return (
            <span key={index}>
              {before}
              <span className="ansi-green-fg">{file}</span>
              {middle}
              <span className="ansi-green-fg ansi-bold">{number}</span>
              {inWord}
              <span className="ansi-cyan-fg">{name}</span>
              {end}
            </span>
          );
        }
        if (line.startsWith(' ')) {
          return <SourceLine key={index} text={line + end} />;
        }
        const failure = FAILURE.exec(line);
        if (failure !== null) {
          isInside = false;
          return (
            <span key={index}>
              <span className="ansi-red-fg ansi-bold">{failure[1]}</span>
              {failure[2]}
              {failure[3]}
              {end}
            </span>
          );
        }
        return line + end;
      })}
    </>
  );
}

function SourceLine(props: { text: string }): JSX.Element {
  return (
    <>
      {tokenizePython(props.text).map((token, index) =>
        token.kind === '' ? (
          token.text
        ) : (
          <span key={index} className={`cvl-Code-${token.kind}`}>
            {token.text}
          </span>
        )
      )}
    </>
  );
}
