/** Opens views of dispatches in the main area, restores them, and keeps their colours with the theme. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IThemeManager, type MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator } from '@jupyterlab/translation';

import { CommandIds } from '../commands/ids';
import { KeptViews } from '../model';
import { textsOf } from '../texts';
import { ICovalentLab, ICovalentViews } from '../tokens';
import { readView } from '../widgets/dagview/view';
import { DispatchView } from '../widgets/dispatch';
import type { IViewActions } from '../widgets/node';
import { pageOf } from './mainarea';

export const viewsPlugin: JupyterFrontEndPlugin<ICovalentViews> = {
  id: 'covalent-lab:views',
  description: 'Views of dispatches in the main area.',
  autoStart: true,
  provides: ICovalentViews,
  requires: [ICovalentLab],
  optional: [ITranslator, ILayoutRestorer, IThemeManager, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    lab: ICovalentLab,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null,
    state: IStateDB | null
  ) => {
    const texts = textsOf(translator);
    const kept = new KeptViews(state);
    const tracker = new WidgetTracker<MainAreaWidget<DispatchView>>({ namespace: 'covalent-lab' });

    const actionsOn = (dispatchId: string): IViewActions => {
      const run = (command: string, nodeId?: number) =>
        void app.commands.execute(
          command,
          nodeId === undefined ? { dispatchId } : { dispatchId, nodeId }
        );
      return {
        cancel: () => run(CommandIds.cancel),
        rerun: reuses => run(reuses ? CommandIds.rerunRest : CommandIds.rerun),
        rerunWith: () => run(CommandIds.rerunWith),
        loadResult: () => run(CommandIds.loadResult),
        openOrigin: () => run(CommandIds.openOrigin),
        showList: () => {
          void lab.dispatches.showAll();
          run(CommandIds.showSidebar);
        },
        of: actionsOn,
        cancelNode: nodeId => run(CommandIds.cancelNode, nodeId),
        loadOutput: nodeId => run(CommandIds.loadOutput, nodeId),
        debugNode: nodeId => run(CommandIds.debugNode, nodeId),
        replaceNode: nodeId => run(CommandIds.replaceNode, nodeId)
      };
    };

    const create = (dispatchId: string): MainAreaWidget<DispatchView> => {
      const model = lab.createDispatch(dispatchId);
      const content = new DispatchView({
        model,
        texts,
        view: lab.graphDefaults,
        actions: actionsOn(dispatchId),
        createDispatch: part => lab.createDispatch(part),
        keptView: () => readView(kept.get(dispatchId)),
        keepView: view => kept.keep(dispatchId, view)
      });
      const widget = pageOf(content, {
        id: `covalent-lab-${dispatchId}`,
        label: dispatchId.slice(0, 8)
      });
      model.changed.connect(() => {
        const { detail } = model;
        if (model.isDeleted) {
          widget.close();
          return;
        }
        if (detail !== null && widget.title.label !== detail.name) {
          widget.title.label = detail.name;
          widget.title.caption = `${detail.name}\n${dispatchId}`;
        }
      });
      void kept.ready.then(() => model.load());
      void tracker.add(widget);
      return widget;
    };

    const viewOf = (dispatchId: string) =>
      tracker.find(view => view.content.model.dispatchId === dispatchId);
    const find = (dispatchId: string) => {
      const model = viewOf(dispatchId)?.content.model;
      const inside = tracker.find(
        ({ content }) => content.model.inside?.model.dispatchId === dispatchId
      );
      return model ?? inside?.content.model.inside?.model ?? null;
    };
    const open = (dispatchId: string, nodeId?: number): void => {
      const widget = viewOf(dispatchId) ?? create(dispatchId);
      if (!widget.isAttached) {
        app.shell.add(widget, 'main', { type: 'Covalent' });
        void app.restored.then(() => {
          if (!widget.isAttached && !widget.isDisposed) {
            widget.dispose(); // Jupyter Notebook shows one document a page
            const query = URLExt.objectToQueryString({ covalent: dispatchId });
            window.open(`${PageConfig.getBaseUrl()}lab${query}`, '_blank', 'noopener');
          }
        });
      }
      if (nodeId !== undefined) {
        widget.content.model.selection = nodeId;
      }
      app.shell.activateById(widget.id);
    };

    themes?.themeChanged.connect(() => {
      requestAnimationFrame(() => tracker.forEach(view => view.content.refreshTheme()));
    });
    void restorer?.restore(tracker, {
      command: CommandIds.openDispatch,
      args: view => ({ dispatchId: view.content.model.dispatchId }),
      name: view => view.content.model.dispatchId
    });
    const current = () => {
      const widget = app.shell.currentWidget;
      return tracker.find(view => view === widget)?.content;
    };
    return {
      open,
      find,
      get currentId() {
        return current()?.model.dispatchId ?? null;
      },
      get currentNode() {
        const model = current()?.model;
        const { inside = null, selection = null } = model ?? {};
        if (model !== undefined && inside !== null) {
          return { dispatchId: inside.model.dispatchId, nodeId: inside.nodeId };
        }
        return model === undefined || selection === null
          ? null
          : { dispatchId: model.dispatchId, nodeId: selection };
      },
      get isUnfolded() {
        return current()?.isUnfolded ?? null;
      },
      toggleFold: () => current()?.toggleFold()
    };
  }
};
