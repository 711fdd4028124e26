/** Adds commands, palette entries and the context menu of the list. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addCommands } from '../commands/dispatch';
import { CommandIds } from '../commands/ids';
import { ICovalentLab, ICovalentViews } from '../tokens';
import { PANEL_ID } from './panel';

const ROW = '.cvl-mod-dispatch[data-dispatch-id]';

export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:commands',
  description: 'Commands on dispatches, in palette and context menu.',
  autoStart: true,
  requires: [ICovalentLab, ICovalentViews],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lab: ICovalentLab,
    views: ICovalentViews,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const texts = (translator ?? nullTranslator).load('covalent_lab');
    addCommands(app.commands, {
      lab,
      views,
      texts,
      showSidebar: () => app.shell.activateById(PANEL_ID),
      showTable: () => views.openTable(),
      currentId: () => {
        const row = app.contextMenuHitTest(
          node =>
            node.classList.contains('cvl-mod-dispatch') && node.dataset.dispatchId !== undefined
        );
        return row?.dataset.dispatchId ?? views.currentId;
      }
    });
    const category = texts.__('Covalent');
    for (const command of Object.values(CommandIds)) {
      palette?.addItem({ command, category });
    }
    [
      CommandIds.openDispatch,
      CommandIds.copyId,
      CommandIds.rerun,
      CommandIds.rerunRest,
      CommandIds.cancel,
      CommandIds.remove
    ].forEach((command, rank) => app.contextMenu.addItem({ command, selector: ROW, rank }));
  }
};
