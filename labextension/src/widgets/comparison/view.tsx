/** Two dispatches side by side: a row for each task, with what differs in signs and words. */

import type { JSX } from 'react';
import { useState } from 'react';

import type { ComparedDispatch, ComparedNode, ComparedRow, ValuePair } from '../../contract';
import type { ITexts } from '../../graph/style';
import { elapsed, formatDuration, shortId, statusWord } from '../../graph/style';
import { nodeLabel } from '../../graph/structure';
import type { ComparisonModel } from '../../model';
import {
  ComponentWidget,
  Notice,
  OpenLink,
  StatusBadge,
  StatusIcon,
  Table,
  useSignal
} from '../parts';

interface IComparisonOptions {
  model: ComparisonModel;
  texts: ITexts;
}

/** The view as a widget; owns its model. */
export class ComparisonView extends ComponentWidget<IComparisonOptions> {
  constructor(options: IComparisonOptions) {
    super(ComparisonBody, options, 'cvl-Comparison');
  }

  get model(): ComparisonModel {
    return this.props.model;
  }

  dispose(): void {
    if (!this.isDisposed) {
      super.dispose();
      this.model.dispose();
    }
  }
}

/** Both heads, what differs as a whole, and the rows. */
export function ComparisonBody(props: IComparisonOptions): JSX.Element {
  const { model, texts } = props;
  useSignal(model.changed);
  const [showsAll, setShowsAll] = useState(false);
  const { found } = model;
  const rows = found?.rows.filter(row => showsAll || row.differences.length > 0) ?? [];
  return (
    <div className="cvl-Page" aria-busy={model.isLoading}>
      <Notice message={model.error} texts={texts} />
      {found !== null && (
        <>
          <div className="cvl-Comparison-heads">
            <Head dispatch={found.left} texts={texts} />
            <Head dispatch={found.right} texts={texts} />
          </div>
          <ul className="cvl-Comparison-summary">
            <li>
              <Mark
                isEqual={found.is_same_graph}
                text={
                  found.is_same_graph
                    ? texts.__('The graphs have the same form')
                    : texts.__('The graphs differ')
                }
              />
            </li>
            <Whole label={texts.__('Inputs')} pair={found.inputs} texts={texts} />
            <Whole label={texts.__('Result')} pair={found.result} texts={texts} />
            <li>
              <Mark
                isEqual={found.differing === 0}
                text={
                  found.differing === 0
                    ? texts.__('No task differs')
                    : texts._n('%1 task differs', '%1 tasks differ', found.differing)
                }
              />
            </li>
          </ul>
        </>
      )}
      <div className="cvl-Comparison-tools">
        <label>
          <input
            type="checkbox"
            checked={showsAll}
            onChange={event => setShowsAll(event.target.checked)}
          />{' '}
          {texts.__('Show tasks without differences')}
        </label>
        <button
          type="button"
          className="cvl-Button"
          disabled={model.isLoading}
          onClick={() => void model.load()}
        >
          {texts.__('Compare again')}
        </button>
      </div>
      {found !== null && rows.length > 0 && (
        <Table
          caption={texts.__('Tasks side by side')}
          columns={[
            { label: texts.__('Task') },
            { label: texts.__('Left: %1', shortId(model.left)) },
            { label: texts.__('Right: %1', shortId(model.right)) },
            { label: texts.__('Differs in') }
          ]}
        >
          {rows.map((row, index) => (
            <Row key={index} row={row} model={model} texts={texts} />
          ))}
        </Table>
      )}
      {found !== null && found.hidden > 0 && (
        <p className="cvl-Muted">
          {texts._n('%1 more task is not shown.', '%1 more tasks are not shown.', found.hidden)}
        </p>
      )}
    </div>
  );
}

function Head(props: { dispatch: ComparedDispatch; texts: ITexts }): JSX.Element {
  const { dispatch, texts } = props;
  const time = elapsed(dispatch.started_at, dispatch.ended_at, NaN);
  return (
    <section className="cvl-Comparison-head">
      <h2>
        <OpenLink
          className="cvl-Link"
          request={{ dispatchId: dispatch.dispatch_id }}
          title={texts.__('Show the graph of %1', dispatch.dispatch_id)}
        >
          {dispatch.name}
        </OpenLink>
      </h2>
      <StatusBadge status={dispatch.status} texts={texts} />
      <code>{shortId(dispatch.dispatch_id)}</code>
      <span>{time === null ? '' : formatDuration(time)}</span>
    </section>
  );
}

/** A sign that says in its shape whether something differs, and the words for it. */
function Mark(props: { isEqual: boolean; text: string }): JSX.Element {
  return (
    <span className={`cvl-Mark ${props.isEqual ? 'cvl-mod-equal' : 'cvl-mod-differing'}`}>
      <span className="cvl-Mark-sign" aria-hidden="true">
        {props.isEqual ? '=' : '≠'}
      </span>{' '}
      {props.text}
    </span>
  );
}

function Whole(props: { label: string; pair: ValuePair; texts: ITexts }): JSX.Element {
  const { label, pair, texts } = props;
  return (
    <li>
      <Mark
        isEqual={pair.is_equal}
        text={pair.is_equal ? texts.__('%1: the same', label) : texts.__('%1:', label)}
      />
      {!pair.is_equal && <Change pair={pair} texts={texts} />}
    </li>
  );
}

function Change(props: {
  pair: Pick<ValuePair, 'left' | 'right'>;
  texts: ITexts;
}): JSX.Element | null {
  const { pair, texts } = props;
  const none = texts.__('none');
  return (
    <>
      {' '}
      <code className="cvl-Comparison-value">{pair.left ?? none}</code> →{' '}
      <code className="cvl-Comparison-value">{pair.right ?? none}</code>
      {pair.left === pair.right && ` (${texts.__('other bytes')})`}
    </>
  );
}

function Row(props: { row: ComparedRow; model: ComparisonModel; texts: ITexts }): JSX.Element {
  const { row, model, texts } = props;
  const node = row.left ?? row.right;
  const isEqual = row.differences.length === 0;
  const words = row.differences.map(difference => word(difference, texts));
  return (
    <tr className={isEqual ? undefined : 'cvl-mod-differing'}>
      <th scope="row">{node === null ? '' : nodeLabel(node.name, node.kind)}</th>
      <Side node={row.left} dispatchId={model.left} texts={texts} />
      <Side node={row.right} dispatchId={model.right} texts={texts} />
      <td>
        <Mark isEqual={isEqual} text={isEqual ? texts.__('the same') : words.join(', ')} />
        {row.inputs.map(input => (
          <div key={input.name}>
            {texts.__('Input %1:', input.name)}
            <Change pair={input} texts={texts} />
          </div>
        ))}
        {row.output !== null && !row.output.is_equal && (
          <div>
            {texts.__('Output:')}
            <Change pair={row.output} texts={texts} />
          </div>
        )}
      </td>
    </tr>
  );
}

function Side(props: {
  node: ComparedNode | null;
  dispatchId: string;
  texts: ITexts;
}): JSX.Element {
  const { node, dispatchId, texts } = props;
  if (node === null) {
    return <td className="cvl-Muted">{texts.__('not there')}</td>;
  }
  const time = elapsed(node.started_at, node.ended_at, NaN);
  return (
    <td title={node.error === '' ? undefined : node.error}>
      <StatusIcon status={node.status} texts={texts} size={14} />{' '}
      <OpenLink
        className="cvl-Link"
        request={{ dispatchId, nodeId: node.node_id }}
        title={texts.__('Show node %1 of %2', node.node_id, shortId(dispatchId))}
      >
        {statusWord(node.status, texts)} ({node.node_id})
      </OpenLink>{' '}
      <span className="cvl-Muted">
        {[node.executor, time === null ? '' : formatDuration(time)].filter(Boolean).join(', ')}
      </span>
    </td>
  );
}

function word(difference: ComparedRow['differences'][number], texts: ITexts): string {
  switch (difference) {
    case 'missing':
      return texts.__('missing on one side');
    case 'status':
      return texts.__('status');
    case 'function':
      return texts.__('source');
    case 'executor':
      return texts.__('executor');
    case 'error':
      return texts.__('error');
    case 'inputs':
      return texts.__('inputs');
    case 'output':
      return texts.__('output');
  }
}
