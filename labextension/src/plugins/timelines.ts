/** Opens timelines of dispatches beside their graphs, restores them, and keeps their colours with the theme. */

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

import { GraphCommandIds } from '../commands/ids';
import { TIMELINE_EVENT } from '../contract/open';
import { textsOf } from '../texts';
import { ICovalentLab, ICovalentViews } from '../tokens';
import { TimelineView } from '../widgets/timeline';
import { pageOf, showPage } from './mainarea';

export const timelinesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:timelines',
  description: 'Timelines of dispatches in the main area.',
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
    const tracker = new WidgetTracker<MainAreaWidget<TimelineView>>({
      namespace: 'covalent-lab-timelines'
    });
    const create = (dispatchId: string): MainAreaWidget<TimelineView> => {
      const model = lab.createDispatch(dispatchId);
      const widget = pageOf(new TimelineView({ model, texts }), {
        id: `covalent-lab-timeline-${dispatchId}`,
        label: texts.__('Timeline of %1', dispatchId.slice(0, 8))
      });
      model.changed.connect(() => {
        if (model.isDeleted) {
          widget.close();
        } else if (model.detail !== null) {
          widget.title.label = texts.__('Timeline of %1', model.detail.name);
          widget.title.caption = dispatchId;
        }
      });
      void model.load();
      void tracker.add(widget);
      return widget;
    };
    const open = (dispatchId: string): void => {
      const widget =
        tracker.find(view => view.content.model.dispatchId === dispatchId) ?? create(dispatchId);
      const isBeside = views.currentId === dispatchId;
      showPage(app, widget, { mode: isBeside ? 'split-bottom' : 'tab-after' });
    };
    app.commands.addCommand(GraphCommandIds.openTimeline, {
      label: texts.__('Open Timeline'),
      caption: texts.__('Show when the tasks of a dispatch waited and ran'),
      isEnabled: args => typeof args.dispatchId === 'string' || views.currentId !== null,
      execute: args => {
        const id = typeof args.dispatchId === 'string' ? args.dispatchId : views.currentId;
        if (id !== null) {
          open(id);
        }
      }
    });
    palette?.addItem({
      command: GraphCommandIds.openTimeline,
      category: texts.__('Covalent')
    });
    document.addEventListener(TIMELINE_EVENT, event => open((event as CustomEvent<string>).detail));
    themes?.themeChanged.connect(() => {
      requestAnimationFrame(() => tracker.forEach(view => view.content.refreshTheme()));
    });
    void restorer?.restore(tracker, {
      command: GraphCommandIds.openTimeline,
      args: view => ({ dispatchId: view.content.model.dispatchId }),
      name: view => view.content.model.dispatchId
    });
  }
};
