/** Keeps the workflow that was drawn last, and shows it in the main area when somebody asks. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IThemeManager, type MainAreaWidget } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';

import { GraphCommandIds } from '../commands/ids';
import type { IPreviewRequest } from '../contract/open';
import { PREVIEW_EVENT } from '../contract/open';
import { PreviewModel } from '../model';
import { textsOf } from '../texts';
import { ICovalentLab } from '../tokens';
import { PreviewView } from '../widgets/preview';
import { pageOf, showPage } from './mainarea';

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
    const texts = textsOf(translator);
    const model = new PreviewModel();
    let widget: MainAreaWidget<PreviewView> | null = null;
    const create = (): MainAreaWidget<PreviewView> => {
      return pageOf(new PreviewView({ model, texts, view: lab.graphDefaults }), {
        id: 'covalent-lab-preview',
        label: texts.__('Preview')
      });
    };
    const show = (): void => {
      if (widget === null || widget.isDisposed) {
        widget = create();
      }
      showPage(app, widget);
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
