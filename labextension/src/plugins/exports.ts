/** Exports dispatches, and compares two of them in the main area. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  IThemeManager,
  type MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';

import { addExportCommands, ExportCommandIds } from '../commands/exports';
import { POINTED, targets } from '../commands/target';
import { shortId } from '../graph/style';
import { textsOf } from '../texts';
import { ICovalentLab, ICovalentViews } from '../tokens';
import { ComparisonView } from '../widgets/comparison';
import { saveBlob } from '../widgets/dagview/controls';
import { chooseFormat, chooseOther, pngFromSvg } from '../widgets/exports';
import { pageOf, showPage } from './mainarea';

const ROW = '.cvl-mod-dispatch[data-dispatch-id]';
const RANK = 20;

export const exportsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:exports',
  description: 'Exports dispatches, and compares two of them.',
  autoStart: true,
  requires: [ICovalentLab, ICovalentViews],
  optional: [ICommandPalette, ITranslator, ILayoutRestorer, IThemeManager],
  activate: (
    app: JupyterFrontEnd,
    lab: ICovalentLab,
    views: ICovalentViews,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null
  ) => {
    const texts = textsOf(translator);
    const tracker = new WidgetTracker<MainAreaWidget<ComparisonView>>({
      namespace: 'covalent-lab-comparison'
    });
    const openComparison = (left: string, right: string): void => {
      const id = `covalent-lab-comparison-${left}-${right}`;
      let widget = tracker.find(view => view.id === id);
      if (widget === undefined) {
        const model = lab.createComparison(left, right);
        widget = pageOf(new ComparisonView({ model, texts }), {
          id,
          label: `${shortId(left)} ↔ ${shortId(right)}`,
          caption: texts.__('Comparison of %1 and %2', left, right)
        });
        void tracker.add(widget);
        void model.load();
      }
      showPage(app, widget);
    };
    addExportCommands(app.commands, {
      texts,
      target: targets({
        dispatchId: isPointed =>
          (isPointed
            ? app.contextMenuHitTest(node => node.matches(ROW))?.dataset.dispatchId
            : undefined) ?? views.currentId,
        node: () => null
      }),
      chooseFormat: () => chooseFormat(texts),
      chooseOther: dispatchId => chooseOther(dispatchId, lab.dispatches.items, texts),
      save: async (dispatchId, format) => {
        const written = await lab.exported(dispatchId, format === 'png' ? 'svg' : format);
        const file = format === 'png' ? await pngFromSvg(written) : written;
        saveBlob(file, `${dispatchId}.${format}`);
      },
      openComparison
    });
    const category = texts.__('Covalent');
    for (const command of Object.values(ExportCommandIds)) {
      palette?.addItem({ command, category });
      for (const selector of [ROW, '.cvl-DispatchView']) {
        app.contextMenu.addItem({ command, selector, rank: RANK, args: POINTED });
      }
    }
    themes?.themeChanged.connect(() => {
      requestAnimationFrame(() => tracker.forEach(view => view.content.refreshTheme()));
    });
    void restorer?.restore(tracker, {
      command: ExportCommandIds.compare,
      args: ({ content: { model } }) => ({ dispatchIds: [model.left, model.right] }),
      name: widget => widget.id
    });
  }
};
