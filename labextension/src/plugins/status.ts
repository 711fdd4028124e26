/** How many dispatches run, in the status bar; a click shows the list. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator } from '@jupyterlab/translation';

import { CommandIds } from '../commands/ids';
import { textsOf } from '../texts';
import { ICovalentLab } from '../tokens';
import { RunningStatus } from '../widgets/dispatches';

export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:status',
  description: 'The number of running dispatches in the status bar.',
  autoStart: true,
  requires: [ICovalentLab, IStatusBar],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lab: ICovalentLab,
    bar: IStatusBar,
    translator: ITranslator | null
  ) => {
    const texts = textsOf(translator);
    const item = new RunningStatus({
      overview: lab.overview,
      texts,
      showList: () => void app.commands.execute(CommandIds.showSidebar)
    });
    bar.registerStatusItem('covalent-lab:running', { item, align: 'left', rank: 4 });
  }
};
