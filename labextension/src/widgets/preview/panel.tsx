/** The panel beside a preview: the workflow, or the selected node, as far as they are known before anything runs. */

import type { JSX } from 'react';

import { executorsOf } from '../../graph/find';
import type { ITexts } from '../../graph/style';
import { kindWord } from '../../graph/style';
import type { PreviewModel } from '../../model';
import {
  BACK,
  ComponentWidget,
  Dependencies,
  dependenciesOf,
  ExecutorSection,
  Facts,
  Glyph,
  Section,
  SourceView,
  useSignal
} from '../parts';

interface IPanelProps {
  model: PreviewModel;
  texts: ITexts;
}

/** The panel as a widget. */
export class PreviewPanel extends ComponentWidget<IPanelProps> {
  constructor(options: IPanelProps) {
    super(Panel, options, 'cvl-SidePanel');
  }
}

function Panel({ model, texts }: IPanelProps): JSX.Element | null {
  useSignal(model.changed);
  useSignal(model.selectionChanged);
  if (model.bundle === null) {
    return null;
  }
  return model.selection === null ? (
    <Workflow model={model} texts={texts} />
  ) : (
    <Node model={model} texts={texts} id={model.selection} />
  );
}

function Workflow({ model, texts }: IPanelProps): JSX.Element | null {
  const { bundle, structure } = model;
  if (bundle === null || structure === null) {
    return null;
  }
  return (
    <div className="cvl-Panel">
      <div className="cvl-Panel-head">
        <h3>{bundle.name}</h3>
      </div>
      {bundle.doc && <p className="cvl-Panel-doc">{bundle.doc}</p>}
      <Facts
        rows={[
          [texts.__('Tasks'), String(structure.count - structure.parameterCount)],
          [texts.__('Parameters'), String(structure.parameterCount)],
          [texts.__('Executors'), executorsOf(structure).join(', ')]
        ]}
      />
      {bundle.source && (
        <Section title={texts.__('Source')}>
          <SourceView source={bundle.source} texts={texts} />
        </Section>
      )}
      <p className="cvl-Panel-hint">
        {texts.__('This workflow was drawn and does not run. Select a node to see what it is.')}
      </p>
    </div>
  );
}

function Node(props: IPanelProps & { id: number }): JSX.Element | null {
  const { model, texts, id } = props;
  const { structure } = model;
  if (structure === null) {
    return null;
  }
  const kind = structure.kinds[id];
  const isParameter = kind === 'parameter';
  const options = model.optionsOf(id);
  const task = model.functionOf(id);
  const inputs = model.inputsOf(id);
  const dependencies = dependenciesOf(options?.hooks ?? {});
  return (
    <div className="cvl-Panel">
      <button
        type="button"
        className="cvl-Link cvl-Panel-back"
        onClick={() => {
          model.selection = null;
        }}
      >
        <Glyph path={BACK} />
        {model.bundle?.name}
      </button>
      <div className="cvl-Panel-head">
        <h3 title={structure.names[id]}>{structure.labels[id]}</h3>
      </div>
      {task?.doc && <p className="cvl-Panel-doc">{task.doc}</p>}
      <Facts rows={[[texts.__('Node'), `${id} · ${kindWord(kind, texts)}`]]} />
      {inputs.length > 0 && (
        <Section title={texts.__('Inputs')}>
          {inputs.map((input, index) => (
            <div key={index} className="cvl-Input-head">
              <code>{input.isWait ? texts.__('waits for') : input.name}</code>
              <button
                type="button"
                className="cvl-Link"
                onClick={() => {
                  model.selection = input.source;
                }}
              >
                {`${structure.labels[input.source]} (${input.source})`}
              </button>
            </div>
          ))}
        </Section>
      )}
      {!isParameter && options !== null && (
        <ExecutorSection
          title={texts.__('Executor')}
          name={options.executor}
          data={options.executor_data}
          texts={texts}
        />
      )}
      {!isParameter && dependencies.length > 0 && (
        <Section title={texts.__('Needs')}>
          <Dependencies dependencies={dependencies} texts={texts} />
        </Section>
      )}
      {task?.source && (
        <Section title={texts.__('Source')}>
          <SourceView source={task.source} texts={texts} />
        </Section>
      )}
    </div>
  );
}
