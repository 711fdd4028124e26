/** Opens the view of executors in the main area, and restores it. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, type MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';

import { ExecutorsClient } from '../api';
import { addExecutorCommands, ExecutorCommandIds, openDashboard } from '../commands/executors';
import { ExecutorsModel } from '../model';
import { textsOf } from '../texts';
import { ICovalentLab, ICovalentViews } from '../tokens';
import { ExecutorsView } from '../widgets/executors';
import { pageOf, showPage } from './mainarea';

const ID = 'covalent-lab-executors';

export const executorsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:executors',
  description: 'Executors in the main area: check, test and set them.',
  autoStart: true,
  requires: [ICovalentLab, ICovalentViews],
  optional: [ICommandPalette, ITranslator, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    lab: ICovalentLab,
    views: ICovalentViews,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null
  ) => {
    const texts = textsOf(translator);
    const tracker = new WidgetTracker<MainAreaWidget<ExecutorsView>>({ namespace: ID });
    const create = (): MainAreaWidget<ExecutorsView> => {
      const content = new ExecutorsView({
        model: new ExecutorsModel({
          client: new ExecutorsClient({ serverSettings: app.serviceManager.serverSettings }),
          activity: lab.dispatches.changed
        }),
        texts,
        openDispatch: dispatchId => views.open(dispatchId),
        openLink: url => void openDashboard(app.commands, url)
      });
      const widget = pageOf(content, { id: ID, label: texts.__('Executors') });
      void tracker.add(widget);
      return widget;
    };
    addExecutorCommands(app.commands, {
      texts,
      openExecutors: () => showPage(app, tracker.currentWidget ?? create())
    });
    const command = ExecutorCommandIds.openExecutors;
    palette?.addItem({ command, category: texts.__('Covalent') });
    void restorer?.restore(tracker, { command, name: () => 'executors' });
  }
};
