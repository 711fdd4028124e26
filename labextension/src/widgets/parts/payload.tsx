/** A value as far as it can be shown without loading it: text, images, tables; and ways to get the value itself. */

import type { JSX } from 'react';
import { useEffect, useRef, useState } from 'react';

import type { Payload } from '../../contract';
import type { ITexts } from '../../graph/style';
import { formatSize } from '../../graph/style';
import type { DispatchModel } from '../../model';
import { messageOf } from '../../model';
import { saveBlob } from '../dagview/controls';
import { RichView } from '../rich';
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

/** The best preview, once it is there; nothing where the page can draw none. */
function RichPreview(props: {
  payload: Payload;
  dispatch: DispatchModel;
  texts: ITexts;
}): JSX.Element {
  const { payload, dispatch, texts } = props;
  const host = useRef<HTMLDivElement>(null);
  const [remark, setRemark] = useState<{ text: string; isError: boolean } | null>(null);
  useEffect(() => {
    const view = new RichView({ label: texts.__('Preview of the value') });
    host.current?.append(view.node);
    setRemark({ text: texts.__('Loading the preview…'), isError: false });
    dispatch.preview(payload.digest).then(
      preview => {
        if (!view.isDisposed) {
          view.show(preview.rich);
          setRemark(null);
        }
      },
      (reason: unknown) => {
        if (!view.isDisposed) {
          setRemark({ text: messageOf(reason), isError: true });
        }
      }
    );
    return () => view.dispose();
  }, [payload.digest, dispatch, texts]);
  return (
    <>
      {remark !== null && (
        <p className={remark.isError ? 'cvl-ErrorText' : 'cvl-Muted'}>{remark.text}</p>
      )}
      <div ref={host} />
    </>
  );
}
