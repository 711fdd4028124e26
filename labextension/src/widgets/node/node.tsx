/** One node: what it received, did, printed and returned. */

import type { JSX, ReactNode } from 'react';
import { useEffect, useState } from 'react';

import type { NodeDetail, NodeInput, Usage } from '../../contract';
import { isGoingOn, statusCode } from '../../graph/states';
import type { ITexts } from '../../graph/style';
import { elapsed, formatDuration, formatSize, kindWord, runTime, shortId } from '../../graph/style';
import { nodeLabel } from '../../graph/structure';
import type { DispatchModel, NodeModel } from '../../model';
import { canCancelNode, canDebug, canReplace, outputCode } from '../../model';
import {
  AnsiText,
  BACK,
  CopyButton,
  Dependencies,
  dependenciesOf,
  executorSettings,
  Facts,
  Glyph,
  Notice,
  OpenLink,
  PayloadView,
  SourceView,
  StatusBadge,
  TabList,
  Time,
  Traceback,
  useNow,
  useSignal,
  type IDependency
} from '../parts';
import type { IViewActions } from './actions';

type Tab = 'output' | 'inputs' | 'logs' | 'error' | 'needs' | 'source';

/** Shown while a node is selected. */
export function NodeView(props: {
  dispatch: DispatchModel;
  node: NodeModel;
  texts: ITexts;
  actions: IViewActions;
  /** Selects another node of the same graph, or leaves it (null); by default in the dispatch. */
  select?: (nodeId: number | null) => void;
}): JSX.Element {
  const { dispatch, node, texts } = props;
  const select = (nodeId: number | null) => {
    if (props.select !== undefined) {
      props.select(nodeId);
    } else {
      dispatch.selection = nodeId;
    }
  };
  useSignal(node.changed);
  const { detail } = node;
  const isRunning = detail?.status === 'RUNNING';
  const now = useNow(isRunning || detail?.status === 'DISPATCHING', 200);
  const [chosen, setTab] = useState<Tab | null>(null);
  const tabs = detail === null ? [] : availableTabs(detail, texts);
  const tab = tabs.some(([key]) => key === chosen) ? chosen : defaultTab(detail);
  useEffect(() => {
    node.isWatchingLogs = tab === 'logs';
    return () => {
      node.isWatchingLogs = false;
    };
  }, [node, tab]);
  return (
    <div className="cvl-Panel">
      <button type="button" className="cvl-Link cvl-Panel-back" onClick={() => select(null)}>
        <Glyph path={BACK} />
        {dispatch.detail?.name ?? texts.__('Workflow')}
      </button>
      <Notice message={node.error} texts={texts} retry={() => void node.load()} />
      {detail !== null && (
        <>
          <div className="cvl-Panel-head">
            <h3 title={detail.name}>{nodeLabel(detail.name, detail.kind)}</h3>
            <StatusBadge status={detail.status} texts={texts} />
            {(detail.reused_from ?? null) !== null && (
              <span className="cvl-Badge cvl-tone-completed">{texts.__('Reused')}</span>
            )}
          </div>
          {detail.doc !== '' && <p className="cvl-Panel-doc">{detail.doc}</p>}
          <Facts
            rows={[
              [
                texts.__('Node'),
                <span key="id" className="cvl-Panel-id">
                  {`${detail.node_id} · ${kindWord(detail.kind, texts)}`}
                  <CopyButton
                    text={String(detail.node_id)}
                    label={texts.__('Copy node id')}
                    texts={texts}
                    isIcon
                  />
                </span>
              ],
              ...(detail.kind === 'parameter' ? [] : timeFacts(detail, now, texts)),
              [texts.__('Attempt'), detail.attempt > 1 ? String(detail.attempt) : ''],
              [texts.__('Executor'), detail.kind === 'parameter' ? '' : detail.executor],
              [texts.__('Reused from'), originText(detail.reused_from ?? null, texts)],
              ...usageFacts(detail.usage ?? null, texts)
            ]}
          />
          {detail.sub_dispatch_id !== null && detail.sub_dispatch_id !== undefined && (
            <OpenLink
              className="cvl-Button cvl-Panel-open"
              request={{ dispatchId: detail.sub_dispatch_id }}
              title={texts.__('Show the graph of this sublattice (or double-click the node)')}
            >
              {texts.__('Open sublattice')}
            </OpenLink>
          )}
          <NodeButtons detail={detail} texts={texts} actions={props.actions} />
          <TabList
            tabs={tabs.map(([key, label]) => ({ key, label }))}
            chosen={tab ?? 'output'}
            label={texts.__('About this node')}
            choose={setTab}
          />
          <div className="cvl-Panel-tab" role="tabpanel">
            {tab === 'output' && <Output {...props} detail={detail} />}
            {tab === 'inputs' &&
              detail.inputs.map((input, index) => (
                <Input
                  key={index}
                  input={input}
                  dispatch={dispatch}
                  texts={texts}
                  select={select}
                />
              ))}
            {tab === 'logs' && <Logs node={node} texts={texts} isRunning={isRunning} />}
            {tab === 'error' && <ErrorTab node={node} detail={detail} texts={texts} />}
            {tab === 'needs' && <Needs detail={detail} texts={texts} />}
            {tab === 'source' && <SourceView source={detail.source} texts={texts} />}
          </div>
        </>
      )}
    </div>
  );
}

/** What can be done with a node as it stands. */
function NodeButtons(props: {
  detail: NodeDetail;
  texts: ITexts;
  actions: IViewActions;
}): JSX.Element | null {
  const { detail, texts, actions } = props;
  const id = detail.node_id;
  const buttons: [boolean, string, string, (nodeId: number) => void][] = [
    [
      canCancelNode(detail),
      texts.__('Cancel task'),
      texts.__('Stop this task; what needs it will not start'),
      actions.cancelNode
    ],
    [
      detail.output !== null,
      texts.__('Load in notebook'),
      texts.__('Put a cell into the notebook that loads this value'),
      actions.loadOutput
    ],
    [
      detail.status === 'FAILED' && canDebug(detail),
      texts.__('Debug in notebook'),
      texts.__('Step through this call in the kernel of the notebook'),
      actions.debugNode
    ],
    [
      canReplace(detail),
      texts.__('Run with active cell'),
      texts.__(
        'Run again, with the function that the active notebook cell defines in the place of this'
      ),
      actions.replaceNode
    ]
  ];
  const shown = buttons.filter(([isShown]) => isShown);
  return shown.length === 0 ? null : (
    <div className="cvl-Panel-buttons" role="group" aria-label={texts.__('Actions')}>
      {shown.map(([, label, title, act]) => (
        <button
          key={label}
          type="button"
          className="cvl-Button"
          title={title}
          onClick={() => act(id)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

function timeFacts(detail: NodeDetail, now: number, texts: ITexts): [string, ReactNode][] {
  const { started_at, ended_at } = detail;
  return [
    [texts.__('Started'), <Time key="started" at={started_at} now={now} texts={texts} />],
    [texts.__('Ended'), <Time key="ended" at={ended_at} now={now} texts={texts} />],
    [
      texts.__('Run time'),
      runTime(elapsed(started_at, ended_at, now), isGoingOn(statusCode(detail.status)))
    ]
  ];
}

/** What the task used. Memory of a process that ran other tasks before says little about this one. */
function usageFacts(usage: Usage | null, texts: ITexts): [string, string][] {
  if (usage === null) {
    return [];
  }
  const peak = formatSize(usage.peak_memory);
  return [
    [texts.__('CPU time'), formatDuration(usage.cpu_s)],
    [
      texts.__('Memory'),
      usage.memory_growth > 0
        ? texts.__('%1 at most, %2 of it new', peak, formatSize(usage.memory_growth))
        : texts.__('%1 at most', peak)
    ],
    [
      texts.__('Values'),
      texts.__('%1 in, %2 out', formatSize(usage.input_bytes), formatSize(usage.output_bytes))
    ],
    [texts.__('Ran on'), texts.__('%1, process %2', usage.host, usage.pid)]
  ];
}

/** Where a result was taken from: `dispatch:node`. */
function originText(origin: string | null, texts: ITexts): string {
  if (origin === null) {
    return '';
  }
  const [dispatchId, nodeId] = origin.split(':');
  return texts.__('node %1 of dispatch %2', nodeId, shortId(dispatchId));
}

function availableTabs(detail: NodeDetail, texts: ITexts): [Tab, string][] {
  const tabs: [Tab, string][] = [];
  if (detail.error !== null && detail.error !== '') {
    tabs.push(['error', texts.__('Error')]);
  }
  tabs.push(['output', detail.kind === 'parameter' ? texts.__('Value') : texts.__('Output')]);
  if (detail.inputs.length > 0) {
    tabs.push(['inputs', texts.__('Inputs')]);
  }
  if (detail.kind !== 'parameter') {
    tabs.push(['logs', texts.__('Logs')]);
  }
  if (needsOf(detail).length > 0 || executorSettings(detail.executor_data).length > 0) {
    tabs.push(['needs', texts.__('Needs')]);
  }
  if (detail.source !== '') {
    tabs.push(['source', texts.__('Source')]);
  }
  return tabs;
}

function defaultTab(detail: NodeDetail | null): Tab {
  if (detail !== null && detail.error !== null && detail.error !== '') {
    return 'error';
  }
  return detail?.status === 'RUNNING' ? 'logs' : 'output';
}

function Output(props: {
  dispatch: DispatchModel;
  detail: NodeDetail;
  texts: ITexts;
}): JSX.Element {
  const { detail, dispatch, texts } = props;
  if (detail.output === null) {
    return <p className="cvl-Muted">{texts.__('No output yet.')}</p>;
  }
  return (
    <PayloadView
      payload={detail.output}
      dispatch={dispatch}
      texts={texts}
      fileName={`node-${detail.node_id}`}
      expression={outputCode(dispatch.dispatchId, detail.node_id)}
    />
  );
}

function Input(props: {
  input: NodeInput;
  dispatch: DispatchModel;
  texts: ITexts;
  select: (nodeId: number) => void;
}): JSX.Element {
  const { input, dispatch, texts } = props;
  const kind = dispatch.structure?.kinds[input.source] ?? 'function';
  const isWait = input.param_type === 'wait';
  return (
    <div className="cvl-Input">
      <div className="cvl-Input-head">
        <code>{isWait ? texts.__('waits for') : input.name}</code>
        <button
          type="button"
          className="cvl-Link"
          title={texts.__('Show node %1', input.source)}
          onClick={() => {
            props.select(input.source);
          }}
        >
          {kind === 'parameter'
            ? texts.__('parameter (%1)', input.source)
            : `${nodeLabel(input.source_name, kind)} (${input.source})`}
        </button>
      </div>
      {input.payload !== null && !isWait && (
        <pre className="cvl-Payload-text" title={input.payload.type}>
          {input.payload.text}
        </pre>
      )}
    </div>
  );
}

function Logs(props: { node: NodeModel; texts: ITexts; isRunning: boolean }): JSX.Element {
  const { node, texts } = props;
  if (node.stdout === '' && node.stderr === '') {
    return (
      <p className="cvl-Muted">
        {props.isRunning ? texts.__('Nothing printed so far…') : texts.__('Nothing was printed.')}
      </p>
    );
  }
  return (
    <>
      {node.stdout !== '' && (
        <>
          <h4>stdout</h4>
          <pre className="cvl-Log" tabIndex={0}>
            <AnsiText text={node.stdout} />
          </pre>
        </>
      )}
      {node.stderr !== '' && (
        <>
          <h4>stderr</h4>
          <pre className="cvl-Log cvl-mod-stderr" tabIndex={0}>
            <AnsiText text={node.stderr} />
          </pre>
        </>
      )}
    </>
  );
}

function ErrorTab(props: { node: NodeModel; detail: NodeDetail; texts: ITexts }): JSX.Element {
  const { node, detail, texts } = props;
  return (
    <>
      <div className="cvl-ErrorCard" role="alert">
        <pre>{detail.error}</pre>
      </div>
      {node.stderr !== '' && (
        <>
          <h4>{texts.__('Traceback')}</h4>
          <Traceback text={node.stderr} />
          <CopyButton text={node.stderr} label={texts.__('Copy traceback')} texts={texts} />
        </>
      )}
    </>
  );
}

/** Dependencies, and the settings of the executor. */
function Needs(props: { detail: NodeDetail; texts: ITexts }): JSX.Element {
  const { detail, texts } = props;
  const settings = executorSettings(detail.executor_data);
  return (
    <>
      <Dependencies dependencies={needsOf(detail)} texts={texts} />
      {settings.length > 0 && (
        <>
          <h4>{texts.__('Settings of executor %1', detail.executor)}</h4>
          <Facts rows={settings} />
        </>
      )}
    </>
  );
}

function needsOf(detail: NodeDetail): IDependency[] {
  return detail.kind === 'parameter' ? [] : dependenciesOf(detail.hooks);
}
