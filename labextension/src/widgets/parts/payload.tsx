/** A value as far as it can be shown without loading it: text, images, tables; and ways to get the value itself. */

import type { JSX } from 'react';
import { useEffect, useState } from 'react';

import type { Payload, Preview } from '../../contract';
import type { ITexts } from '../../graph/style';
import { formatSize } from '../../graph/style';
import type { DispatchModel } from '../../model';
import { messageOf } from '../../model';
import { saveBlob } from '../dagview/controls';
import { CopyButton, DOWNLOAD, Glyph } from './fields';

/** A payload with its previews. */
export function PayloadView(props: {
  payload: Payload;
  dispatch: DispatchModel;
  texts: ITexts;
  fileName: string;
  /** Python that loads the value. */
  expression?: string;
}): JSX.Element {
  const { payload, dispatch, texts } = props;
  const [error, setError] = useState('');
  const download = async () => {
    try {
      saveBlob(await dispatch.payload(payload.digest), `${props.fileName}.covalent`);
      setError('');
    } catch (reason) {
      setError(messageOf(reason));
    }
  };
  return (
    <div className="cvl-Payload">
      {payload.rich.length > 0 && (
        <RichPreview payload={payload} dispatch={dispatch} texts={texts} />
      )}
      <pre className="cvl-Payload-text" tabIndex={0}>
        {payload.text}
      </pre>
      <div className="cvl-Payload-foot">
        <span className="cvl-Payload-type">
          {payload.type} · {formatSize(payload.size)}
        </span>
        <span className="cvl-Payload-buttons">
          {props.expression !== undefined && (
            <CopyButton text={props.expression} label={texts.__('Copy Python')} texts={texts} />
          )}
          <button type="button" className="cvl-Button" onClick={() => void download()}>
            <Glyph path={DOWNLOAD} />
            {texts.__('Download')}
          </button>
        </span>
      </div>
      {error !== '' && <p className="cvl-ErrorText">{error}</p>}
    </div>
  );
}

function RichPreview(props: {
  payload: Payload;
  dispatch: DispatchModel;
  texts: ITexts;
}): JSX.Element | null {
  const { payload, dispatch, texts } = props;
  const [preview, setPreview] = useState<Preview | null>(null);
  const [error, setError] = useState('');
  useEffect(() => {
    let isCurrent = true;
    setPreview(null);
    dispatch.preview(payload.digest).then(
      value => isCurrent && setPreview(value),
      (reason: unknown) => isCurrent && setError(messageOf(reason))
    );
    return () => {
      isCurrent = false;
    };
  }, [payload.digest, dispatch]);
  if (error !== '') {
    return <p className="cvl-ErrorText">{error}</p>;
  }
  if (preview === null) {
    return <p className="cvl-Muted">{texts.__('Loading the preview…')}</p>;
  }
  return richElement(preview.rich, texts);
}

/** The best preview there is; foreign markup stays in an image or in a frame that runs nothing. */
function richElement(rich: Readonly<Record<string, string>>, texts: ITexts): JSX.Element | null {
  const label = texts.__('Preview of the value');
  if (rich['image/svg+xml'] !== undefined) {
    const source = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(rich['image/svg+xml'])}`;
    return <img className="cvl-Payload-image" src={source} alt={label} />;
  }
  for (const type of ['image/png', 'image/jpeg', 'image/gif', 'image/webp']) {
    if (rich[type] !== undefined) {
      return (
        <img className="cvl-Payload-image" src={`data:${type};base64,${rich[type]}`} alt={label} />
      );
    }
  }
  if (rich['text/html'] !== undefined) {
    const style =
      '<style>body{font:13px system-ui,sans-serif;margin:8px;color:#111;background:#fff}table{border-collapse:collapse}td,th{padding:3px 8px;border-bottom:1px solid #ddd;text-align:right}</style>';
    return (
      <iframe
        className="cvl-Payload-html"
        sandbox=""
        srcDoc={style + rich['text/html']}
        title={label}
      />
    );
  }
  return null;
}
