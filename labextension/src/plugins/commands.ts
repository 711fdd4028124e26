/** Adds commands, palette entries and context menus. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator } from '@jupyterlab/translation';

import { addCommands } from '../commands/dispatch';
import { CommandIds } from '../commands/ids';
import { addNotebookCommands } from '../commands/notebook';
import { POINTED, targets } from '../commands/target';
import type { DispatchStatus } from '../contract';
import { statusName } from '../graph/states';
import { textsOf } from '../texts';
import { ICovalentLab, ICovalentViews, INotebooks } from '../tokens';
import { editArguments } from '../widgets/forms';
import { PANEL_ID } from './panel';

const ROW = '.cvl-mod-dispatch[data-dispatch-id]';
const NODE = '.cvl-DispatchView [data-node-id]';
const NODE_COMMANDS = [
  CommandIds.loadOutput,
  CommandIds.debugNode,
  CommandIds.replaceNode,
  CommandIds.cancelNode
];
/** Context menus, by what they are for. A graph selects the node under the pointer. */
const MENUS: readonly (readonly [string, readonly string[]])[] = [
  [
    ROW,
    [
      CommandIds.openDispatch,
      CommandIds.openOrigin,
      CommandIds.copyId,
      CommandIds.copyExpression,
      CommandIds.loadResult,
      CommandIds.rerun,
      CommandIds.rerunRest,
      CommandIds.rerunWith,
      CommandIds.cancel,
      CommandIds.remove
    ]
  ],
  [NODE, NODE_COMMANDS],
  ['.cvl-DispatchView .cvl-GraphWidget', [CommandIds.toggleFold, ...NODE_COMMANDS]]
];

export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:commands',
  description: 'Commands on dispatches, in palette and context menu.',
  autoStart: true,
  requires: [ICovalentLab, ICovalentViews, INotebooks],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    lab: ICovalentLab,
    views: ICovalentViews,
    notebooks: INotebooks,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const texts = textsOf(translator);
    const pointedRow = () => app.contextMenuHitTest(node => node.matches(ROW));
    const target = targets(
      {
        dispatchId: isPointed =>
          (isPointed ? pointedRow()?.dataset.dispatchId : undefined) ?? views.currentId,
        node: isPointed => {
          const row = isPointed ? app.contextMenuHitTest(node => node.matches(NODE)) : undefined;
          const dispatchId = views.currentId;
          return row === undefined || dispatchId === null
            ? views.currentNode
            : { dispatchId, nodeId: Number(row.dataset.nodeId) };
        }
      },
      {
        status: id => {
          const known = views.find(id)?.detail ?? lab.dispatches.find(id);
          const row = pointedRow(); // of a table: its pages are no part of the list
          const shown = row?.dataset.dispatchId === id ? row.dataset.status : undefined;
          return known?.status ?? (shown as DispatchStatus | undefined) ?? null;
        },
        node: (id, nodeId) => {
          const model = views.find(id);
          const kind = model?.structure?.kinds[nodeId];
          const code = model?.nodes?.status[nodeId];
          return kind === undefined || code === undefined
            ? null
            : { kind, status: statusName(code) };
        }
      }
    );
    addCommands(app.commands, {
      lab,
      views,
      texts,
      target,
      showSidebar: () => app.shell.activateById(PANEL_ID)
    });
    addNotebookCommands(app.commands, {
      lab,
      notebooks,
      texts,
      target,
      editArguments: options => editArguments({ ...options, texts })
    });
    const category = texts.__('Covalent');
    for (const command of Object.values(CommandIds)) {
      palette?.addItem({ command, category });
    }
    for (const [selector, commands] of MENUS) {
      commands.forEach((command, rank) =>
        app.contextMenu.addItem({ command, selector, rank, args: POINTED })
      );
    }
  }
};
