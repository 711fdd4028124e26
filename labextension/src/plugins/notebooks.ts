/** Provides access to cells and kernels of open notebooks. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator } from '@jupyterlab/translation';

import { Notebooks } from '../notebooks/notebooks';
import { textsOf } from '../texts';
import { INotebooks } from '../tokens';

export const notebooksPlugin: JupyterFrontEndPlugin<INotebooks> = {
  id: 'covalent-lab:notebooks',
  description: 'Cells and kernels of open notebooks.',
  autoStart: true,
  provides: INotebooks,
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null) =>
    new Notebooks(app, textsOf(translator))
};
