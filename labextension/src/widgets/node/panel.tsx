/** The panel beside the graph: the selected node, or the dispatch when none is. */

import type { JSX } from 'react';
import { useEffect, useState } from 'react';

import type { ITexts } from '../../graph/style';
import type { DispatchModel } from '../../model';
import { NodeModel } from '../../model';
import { ComponentWidget, TabList, useSignal } from '../parts';
import type { IViewActions } from './actions';
import { DispatchOverview } from './overview';
import { NodeView } from './node';
import { Sublattices } from './sublattices';

/** Narrower than this, buttons and rows of facts no longer fit. */
const MIN_WIDTH = 240;

/** What the panel shows, and what its buttons do. */
interface ISideOptions {
  model: DispatchModel;
  texts: ITexts;
  actions: IViewActions;
}

/** The panel as a widget. */
export class SidePanel extends ComponentWidget<ISideOptions> {
  constructor(options: ISideOptions) {
    super(Side, options, 'cvl-SidePanel');
    this.node.style.minWidth = `${MIN_WIDTH}px`;
  }
}

/** What the panel shows at the moment. */
export function Side(props: ISideOptions): JSX.Element {
  const { model, texts, actions } = props;
  useSignal(model.selectionChanged);
  const { selection, inside } = model;
  if (inside !== null) {
    return (
      <SelectedNode
        key={`${inside.path} ${inside.nodeId}`}
        dispatch={inside.model}
        nodeId={inside.nodeId}
        texts={texts}
        actions={actions.of(inside.model.dispatchId)}
        select={nodeId => {
          if (nodeId === null) {
            model.selection = selection;
          } else {
            model.selectInside({ ...inside, nodeId });
          }
        }}
      />
    );
  }
  return selection === null ? (
    <WholeDispatch {...props} />
  ) : (
    <SelectedNode
      key={selection}
      dispatch={model}
      nodeId={selection}
      texts={texts}
      actions={actions}
    />
  );
}

/** Tabs, once there are sublattices. */
function WholeDispatch(props: ISideOptions): JSX.Element {
  const { model, texts } = props;
  useSignal(model.changed);
  const [chosen, choose] = useState<'overview' | 'sublattices'>('overview');
  const parts = model.nodes?.parts.size ?? 0;
  if (parts === 0) {
    return (
      <div className="cvl-Panel">
        <DispatchOverview {...props} />
      </div>
    );
  }
  return (
    <div className="cvl-Panel">
      <TabList
        tabs={[
          { key: 'overview', label: texts.__('Overview') },
          { key: 'sublattices', label: texts.__('Sublattices (%1)', parts) }
        ]}
        chosen={chosen}
        label={texts.__('About this dispatch')}
        choose={choose}
      />
      <div className="cvl-Panel-tab" role="tabpanel">
        {chosen === 'overview' ? (
          <DispatchOverview {...props} />
        ) : (
          <Sublattices model={model} texts={texts} />
        )}
      </div>
    </div>
  );
}

function SelectedNode(props: {
  dispatch: DispatchModel;
  nodeId: number;
  texts: ITexts;
  actions: IViewActions;
  select?: (nodeId: number | null) => void;
}): JSX.Element | null {
  const { dispatch, nodeId } = props;
  const [node, setNode] = useState<NodeModel | null>(null);
  useEffect(() => {
    const model = new NodeModel({ dispatch, nodeId });
    setNode(model);
    void model.load();
    return () => model.dispose();
  }, [dispatch, nodeId]);
  return node === null ? null : (
    <NodeView
      dispatch={dispatch}
      node={node}
      texts={props.texts}
      actions={props.actions}
      select={props.select}
    />
  );
}
