/** Two dispatches side by side: their graphs, and a row for each task with what differs in signs and words. */

import type { JSX } from 'react';
import { useEffect, useRef, useState } from 'react';

import type { ComparedDispatch, ComparedNode, ComparedRow, ValuePair } from '../../contract';
import type { ITexts } from '../../graph/style';
import { elapsed, formatDifference, formatDuration, shortId, statusWord } from '../../graph/style';
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
import { GraphPair } from './graphs';

/** What has a beginning and an end. */
type Timed = Pick<ComparedDispatch, 'started_at' | 'ended_at'>;

interface IComparisonOptions {
  model: ComparisonModel;
  texts: ITexts;
}

interface IBodyProps extends IComparisonOptions {
  /** Both drawings. */
  graphs: HTMLElement;
}

/** The view as a widget; owns its model. */
export class ComparisonView extends ComponentWidget<IBodyProps> {
  constructor(options: IComparisonOptions) {
    const graphs = new GraphPair(options);
    super(ComparisonBody, { ...options, graphs: graphs.node }, 'cvl-Comparison');
    this._graphs = graphs;
  }

  get model(): ComparisonModel {
    return this.props.model;
  }

  /** Reads colours again. */
  refreshTheme(): void {
    this._graphs.refreshTheme();
  }

  dispose(): void {
    if (!this.isDisposed) {
      super.dispose();
      this._graphs.dispose();
      this.model.dispose();
    }
  }

  private readonly _graphs: GraphPair;
}

/** Both heads, what differs as a whole, the graphs, and the rows. */
export function ComparisonBody(props: IBodyProps): JSX.Element {
  const { model, texts, graphs } = props;
  useSignal(model.changed);
  useSignal(model.selectionChanged);
  const [showsAll, setShowsAll] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.append(graphs), [graphs]);
  const { found, selectedRow } = model;
  const isShown = (row: ComparedRow) =>
    showsAll || row.differences.length > 0 || row === selectedRow;
  const rows = found?.rows.filter(isShown) ?? [];
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
            <WholeTime left={found.left} right={found.right} texts={texts} />
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
      <details className="cvl-Comparison-drawings" open hidden={found === null}>
        <summary>{texts.__('Graphs')}</summary>
        <div ref={place} />
      </details>
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
            { label: texts.__('Time') },
            { label: texts.__('Differs in') }
          ]}
        >
          {rows.map((row, index) => (
            <Row
              key={index}
              row={row}
              model={model}
              texts={texts}
              isSelected={row === selectedRow}
            />
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
  const time = runtimeOf(dispatch);
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

/** How long both took; nothing before both have ended. */
function WholeTime(props: { left: Timed; right: Timed; texts: ITexts }): JSX.Element | null {
  const { left, right, texts } = props;
  const [before, after] = [left, right].map(runtimeOf);
  if (before === null || after === null) {
    return null;
  }
  return (
    <li>
      {texts.__('Time: %1 → %2', formatDuration(before), formatDuration(after))}{' '}
      <strong>({formatDifference(after - before)})</strong>
    </li>
  );
}

function Row(props: {
  row: ComparedRow;
  model: ComparisonModel;
  texts: ITexts;
  isSelected: boolean;
}): JSX.Element {
  const { row, model, texts, isSelected } = props;
  const node = row.left ?? row.right;
  const isEqual = row.differences.length === 0;
  const words = row.differences.map(difference => word(difference, texts));
  const [before, after] = [row.left, row.right].map(runtimeOf);
  const line = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (isSelected) {
      line.current?.scrollIntoView?.({ block: 'nearest' });
    }
  }, [isSelected]);
  const select = () => {
    const side = row.left === null ? 'right' : 'left';
    model.select(side, row[side]?.node_id ?? null);
  };
  const classes = [isEqual ? '' : 'cvl-mod-differing', isSelected ? 'cvl-mod-selected' : ''];
  return (
    <tr ref={line} className={classes.join(' ').trim()}>
      <th scope="row">
        <button
          type="button"
          className="cvl-Link"
          title={texts.__('Select in the graphs')}
          aria-pressed={isSelected}
          onClick={select}
        >
          {node === null ? '' : nodeLabel(node.name, node.kind)}
        </button>
      </th>
      <Side node={row.left} dispatchId={model.left} texts={texts} />
      <Side node={row.right} dispatchId={model.right} texts={texts} />
      <td className="cvl-Comparison-time">
        {before === null || after === null ? '' : formatDifference(after - before)}
      </td>
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
  const time = runtimeOf(node);
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

/** Seconds from start to end; null for what is not there, has not started or not ended. */
function runtimeOf(timed: Timed | null): number | null {
  const time = elapsed(timed?.started_at, timed?.ended_at, NaN);
  return time === null || Number.isNaN(time) ? null : time;
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
