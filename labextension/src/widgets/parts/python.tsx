/** Python source with colours: a small tokenizer that knows words, strings, numbers and comments, nothing more. */

import type { JSX } from 'react';
import { useState } from 'react';

import type { ITexts } from '../../graph/style';
import { CopyButton } from './fields';

/** More than this does not fit its box. */
const LONG_LINES = 22;

const TOKEN = new RegExp(
  [
    /(?<comment>#[^\n]*)/,
    /(?<string>\b[rbfuRBFU]{0,2}(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)|(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))/,
    /(?<decorator>@[\w.]+)/,
    /(?<number>\b\d[\w.]*)/,
    /(?<word>[A-Za-z_]\w*)/
  ]
    .map(part => part.source)
    .join('|'),
  'g'
);

const KEYWORDS = new Set(
  (
    'and as assert async await break class continue def del elif else except finally for from global if import in is ' +
    'lambda nonlocal not or pass raise return try while with yield match case'
  ).split(' ')
);
const CONSTANTS = new Set(['True', 'False', 'None', 'self', 'cls']);

/** A piece of source; `kind` is empty for plain text. */
export interface IToken {
  text: string;
  kind: string;
}

/** Cuts source into tokens; their texts joined are the source. */
export function tokenizePython(source: string): IToken[] {
  const tokens: IToken[] = [];
  let at = 0;
  let previous = '';
  for (const match of source.matchAll(TOKEN)) {
    const start = match.index ?? 0;
    if (start > at) {
      tokens.push({ text: source.slice(at, start), kind: '' });
    }
    const [text] = match;
    tokens.push({ text, kind: kindOf(match.groups ?? {}, text, previous) });
    previous = match.groups?.word ?? '';
    at = start + text.length;
  }
  if (at < source.length) {
    tokens.push({ text: source.slice(at), kind: '' });
  }
  return tokens;
}

/** Source in a scrolling box. */
export function PythonSource(props: { source: string; isLong?: boolean }): JSX.Element {
  return (
    <pre className={`cvl-Code${props.isLong === true ? ' cvl-mod-long' : ''}`} tabIndex={0}>
      <code>
        {tokenizePython(props.source).map((token, index) =>
          token.kind === '' ? (
            token.text
          ) : (
            <span key={index} className={`cvl-Code-${token.kind}`}>
              {token.text}
            </span>
          )
        )}
      </code>
    </pre>
  );
}

/** Source with a button that copies it, and one that shows all of it when it is long. */
export function SourceView(props: { source: string; texts: ITexts }): JSX.Element {
  const { source, texts } = props;
  const [isLong, setLong] = useState(false);
  return (
    <>
      <PythonSource source={source} isLong={isLong} />
      <div className="cvl-Panel-buttons">
        <CopyButton text={source} label={texts.__('Copy source')} texts={texts} />
        {source.split('\n').length > LONG_LINES && (
          <button
            type="button"
            className="cvl-Button"
            aria-expanded={isLong}
            onClick={() => setLong(!isLong)}
          >
            {isLong ? texts.__('Show less') : texts.__('Show all')}
          </button>
        )}
      </div>
    </>
  );
}

function kindOf(
  groups: Record<string, string | undefined>,
  text: string,
  previous: string
): string {
  for (const kind of ['comment', 'string', 'decorator', 'number']) {
    if (groups[kind] !== undefined) {
      return kind;
    }
  }
  if (KEYWORDS.has(text)) {
    return 'keyword';
  }
  if (CONSTANTS.has(text)) {
    return 'constant';
  }
  return previous === 'def' || previous === 'class' ? 'definition' : '';
}
