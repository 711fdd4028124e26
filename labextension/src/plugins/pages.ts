/** Pages of the main area of which there is one each: the table of dispatches, settings, log. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import type { Widget } from '@lumino/widgets';

import { ExportCommandIds } from '../commands/exports';
import { CommandIds } from '../commands/ids';
import { addPageCommands, type Page } from '../commands/pages';
import { covalentIcon } from '../icon';
import { textsOf } from '../texts';
import { ICovalentLab, ICovalentViews } from '../tokens';
import { DispatchTable } from '../widgets/dispatches';
import { LogsView } from '../widgets/logs';
import { SettingsView } from '../widgets/settings';
import { asPage, showPage } from './mainarea';

/** A page that may ask before it is closed. */
class GuardedPage extends MainAreaWidget {
  protected onCloseRequest(msg: Message): void {
    const { content } = this;
    if (!(content instanceof SettingsView)) {
      super.onCloseRequest(msg);
      return;
    }
    void content.mayClose().then(mayClose => {
      if (mayClose) {
        super.onCloseRequest(msg);
      }
    });
  }
}

export const pagesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:pages',
  description: 'The table of dispatches, settings and log in the main area.',
  autoStart: true,
  requires: [ICovalentLab, ICovalentViews],
  optional: [ITranslator, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    lab: ICovalentLab,
    views: ICovalentViews,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null
  ) => {
    const texts = textsOf(translator);
    const createTable = (): Widget => {
      const model = lab.createPages();
      void model.start();
      return new DispatchTable({
        model,
        overview: lab.overview,
        texts,
        open: dispatchId => views.open(dispatchId),
        remove: async dispatchIds => {
          await app.commands.execute(CommandIds.remove, { dispatchIds: [...dispatchIds] });
        },
        compare: dispatchIds =>
          void app.commands.execute(ExportCommandIds.compare, { dispatchIds: [...dispatchIds] }),
        removeMatching: async ({ search, statuses }, count) => {
          const args = { search, statuses: [...statuses], count };
          await app.commands.execute(CommandIds.removeMatching, args);
        }
      });
    };
    const createSettings = (): Widget => {
      const model = lab.createConfig();
      void model.load();
      return new SettingsView({ model, texts });
    };
    const createLogs = (): Widget => {
      const model = lab.createLog();
      void model.showPage(0);
      return new LogsView({ model, texts });
    };
    const pages: Record<Page, { title: string; command: string; create: () => Widget }> = {
      table: {
        title: texts.__('Dispatches'),
        command: CommandIds.openTable,
        create: createTable
      },
      settings: {
        title: texts.__('Covalent Settings'),
        command: CommandIds.openSettings,
        create: createSettings
      },
      logs: { title: texts.__('Covalent Log'), command: CommandIds.openLogs, create: createLogs }
    };
    const track = (page: Page) =>
      new WidgetTracker<MainAreaWidget>({ namespace: `covalent-lab-${page}` });
    const trackers = { table: track('table'), settings: track('settings'), logs: track('logs') };

    const show = (page: Page): void => {
      const { title, create } = pages[page];
      let widget = trackers[page].currentWidget;
      if (widget === null) {
        const content = create();
        widget = asPage(new GuardedPage({ content }), { id: `covalent-lab-${page}`, label: title });
        void trackers[page].add(widget);
      }
      showPage(app, widget);
    };

    addPageCommands(app.commands, {
      texts,
      icon: covalentIcon,
      show,
      openQuickstart: async () => {
        await app.commands.execute('docmanager:open', { path: await lab.quickstart() });
      }
    });
    for (const [page, tracker] of Object.entries(trackers)) {
      const { command } = pages[page as Page];
      void restorer?.restore(tracker, { command, name: () => page });
    }
  }
};
