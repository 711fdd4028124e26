/** Puts the list of dispatches into the left area. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator } from '@jupyterlab/translation';

import { ExecutorCommandIds } from '../commands/executors';
import { CommandIds } from '../commands/ids';
import { covalentIcon } from '../icon';
import { textsOf } from '../texts';
import { ICovalentLab } from '../tokens';
import { DispatchesPanel } from '../widgets/dispatches';

/** Id of the panel in the shell. */
export const PANEL_ID = 'covalent-lab-dispatches';

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:panel',
  description: 'The list of dispatches in the left sidebar.',
  autoStart: true,
  requires: [ICovalentLab],
  optional: [ITranslator, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    lab: ICovalentLab,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null
  ) => {
    const texts = textsOf(translator);
    const run = (command: string) => (dispatchId: string) =>
      void app.commands.execute(command, { dispatchId });
    const panel = new DispatchesPanel({
      model: lab.dispatches,
      texts,
      actions: {
        open: run(CommandIds.openDispatch),
        cancel: run(CommandIds.cancel),
        rerun: (dispatchId, reusesResults) =>
          run(reusesResults ? CommandIds.rerunRest : CommandIds.rerun)(dispatchId),
        remove: run(CommandIds.remove),
        copyId: run(CommandIds.copyId),
        openTable: () => void app.commands.execute(CommandIds.openTable),
        openExecutors: () => void app.commands.execute(ExecutorCommandIds.openExecutors)
      }
    });
    panel.id = PANEL_ID;
    panel.title.icon = covalentIcon;
    panel.title.caption = texts.__('Covalent dispatches');
    app.shell.add(panel, 'left', { rank: 450, type: 'Covalent' });
    restorer?.add(panel, PANEL_ID);
    void app.restored.then(() => {
      void lab.dispatches.start();
      void lab.overview.load();
    });
  }
};
