/** Keeps the workflow that was drawn last, and shows it in the main area when somebody asks. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IThemeManager, MainAreaWidget } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { GraphCommandIds } from '../commands/ids';
import type { IPreviewRequest } from '../contract/open';
import { PREVIEW_EVENT } from '../contract/open';
import { covalentIcon } from '../icon';
import { PreviewModel } from '../model';
import { ICovalentLab } from '../tokens';
import { PreviewView } from '../widgets/preview';

export const previewPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:preview',
  description: 'The workflow that was drawn last, in the main area.',
  autoStart: true,
  requires: [ICovalentLab],
  optional: [ICommandPalette, ITranslator, IThemeManager],
  activate: (
    app: JupyterFrontEnd,
    lab: ICovalentLab,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
    themes: IThemeManager | null
  ) => {
    const texts = (translator ?? nullTranslator).load('covalent_lab');
    const model = new PreviewModel();
    let widget: MainAreaWidget<PreviewView> | null = null;
    const create = (): MainAreaWidget<PreviewView> => {
      const view = lab.graphDefaults;
      const made = new MainAreaWidget({ content: new PreviewView({ model, texts, view }) });
      made.toolbar.hide();
      made.id = 'covalent-lab-preview';
      made.title.icon = covalentIcon;
      made.title.closable = true;
      made.title.label = texts.__('Preview');
      return made;
    };
    const show = (): void => {
      if (widget === null || widget.isDisposed) {
        widget = create();
      }
      if (!widget.isAttached) {
        app.shell.add(widget, 'main', { type: 'Covalent' });
      }
      app.shell.activateById(widget.id);
    };
    document.addEventListener(PREVIEW_EVENT, event => {
      const { bundle, isAsked } = (event as CustomEvent<IPreviewRequest>).detail;
      if (model.bundle !== bundle) {
        model.setBundle(bundle);
      }
      if (isAsked) {
        show();
      }
    });
    app.commands.addCommand(GraphCommandIds.showPreview, {
      label: texts.__('Show Drawn Workflow'),
      caption: texts.__('Show the workflow that was drawn last in the main area'),
      execute: show
    });
    palette?.addItem({ command: GraphCommandIds.showPreview, category: texts.__('Covalent') });
    themes?.themeChanged.connect(() => {
      requestAnimationFrame(() => widget?.content.refreshTheme());
    });
  }
};
