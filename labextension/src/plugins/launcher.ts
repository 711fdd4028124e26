/** A card in the launcher that opens the first tutorial. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator } from '@jupyterlab/translation';

import { CommandIds } from '../commands/ids';
import { textsOf } from '../texts';

export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:launcher',
  description: 'The first tutorial and the table of dispatches in the launcher.',
  autoStart: true,
  requires: [ILauncher],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, launcher: ILauncher, translator: ITranslator | null) => {
    const category = textsOf(translator).__('Covalent');
    launcher.add({
      command: CommandIds.openQuickstart,
      args: { isLauncher: true },
      category,
      rank: 1
    });
  }
};
