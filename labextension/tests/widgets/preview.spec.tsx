import { act, cleanup, render, waitFor } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import type { JSX } from 'react';

import type { ILatticeBundle } from '../../src/contract';
import type { IPreviewRequest } from '../../src/contract/open';
import { announcePreview, PREVIEW_EVENT } from '../../src/contract/open';
import { plainTexts } from '../../src/graph/style';
import { PreviewModel } from '../../src/model';
import { PreviewPanel } from '../../src/widgets/preview/panel';
import { chain } from '../fakes';

function bundle(): ILatticeBundle {
  const graph = chain(2);
  return {
    version: 1,
    name: 'flow',
    dispatch_id: null,
    doc: 'Two steps.',
    source: '@ct.lattice\ndef flow(): ...',
    graph: {
      ...graph,
      functions: [{ name: 'task', source: 'def task(x): return x', doc: 'One step.' }],
      options: [
        {
          executor: 'slurm',
          executor_data: { attributes: { partition: 'short' } },
          hooks: { deps: { bash: { attributes: { commands: ['module load gcc'] } } } }
        }
      ],
      nodes: { ...graph.nodes, function: [0, 0, null, null] }
    }
  };
}

/** The panel without the widget around it, which needs a page. */
class OpenPanel extends PreviewPanel {
  get element(): JSX.Element {
    return this.render();
  }
}

describe('PreviewModel', () => {
  it('tells what is known of nodes', () => {
    const model = new PreviewModel();
    expect([model.structure, model.functionOf(0), model.optionsOf(0), model.inputsOf(0)]).toEqual([
      null,
      null,
      null,
      []
    ]);
    model.setBundle(bundle());
    expect(model.functionOf(1)?.name).toBe('task');
    expect(model.functionOf(2)).toBeNull();
    expect(model.optionsOf(1)?.executor).toBe('slurm');
    expect(model.inputsOf(1)).toEqual([{ name: 'x', source: 0, isWait: false }]);
  });

  it('forgets the selection when another workflow is drawn', () => {
    const model = new PreviewModel();
    model.setBundle(bundle());
    model.selection = 1;
    let changes = 0;
    model.changed.connect(() => (changes += 1));
    model.setBundle(bundle());
    expect([model.selection, changes]).toEqual([null, 1]);
    model.dispose();
    model.dispose();
    expect(model.isDisposed).toBe(true);
  });
});

describe('PreviewPanel', () => {
  afterEach(cleanup);

  it('shows the workflow, then the selected node, without anything that only runs have', async () => {
    const model = new PreviewModel();
    model.setBundle(bundle());
    const { container } = render(new OpenPanel({ model, texts: plainTexts }).element);
    expect(container.textContent).toContain('Two steps.');
    expect(container.textContent).toContain('def flow()');
    act(() => {
      model.selection = 1;
    });
    await waitFor(() => expect(container.textContent).toContain('task_1'));
    for (const text of ['One step.', 'slurm', 'module load gcc', 'def task(x)', 'short']) {
      expect(container.textContent).toContain(text);
    }
    for (const text of ['Status', 'Run time', 'Started', 'Logs']) {
      expect(container.textContent).not.toContain(text);
    }
  });
});

describe('announcePreview', () => {
  it('is heard by the page', () => {
    const heard: IPreviewRequest[] = [];
    const listen = (event: Event) => heard.push((event as CustomEvent<IPreviewRequest>).detail);
    document.addEventListener(PREVIEW_EVENT, listen);
    const request = { bundle: bundle(), isAsked: true };
    announcePreview(request);
    document.removeEventListener(PREVIEW_EVENT, listen);
    expect(heard).toEqual([request]);
  });
});
