/** Commands that show pages of the main area, and the tutorial. */

import type { CommandRegistry } from '@lumino/commands';
import type { LabIcon } from '@jupyterlab/ui-components';

import { CommandIds } from './ids';
import type { ITexts } from '../texts';
import { reporting } from './target';

/** The pages of which there is one each. */
export type Page = 'table' | 'settings' | 'logs';

/** What the commands work on. */
export interface IPagesContext {
  texts: ITexts;
  icon: LabIcon;
  show: (page: Page) => void;
  openQuickstart: () => Promise<void>;
}

/** Adds them to a registry. */
export function addPageCommands(commands: CommandRegistry, context: IPagesContext): void {
  const { texts, icon, show } = context;
  const pages: [string, Page, string, string][] = [
    [
      CommandIds.openTable,
      'table',
      texts.__('Show Dispatches as a Table'),
      texts.__('Show all dispatches in the main area, with figures, pages and selection')
    ],
    [
      CommandIds.openSettings,
      'settings',
      texts.__('Settings of Covalent'),
      texts.__('Show the configuration file as forms')
    ],
    [
      CommandIds.openLogs,
      'logs',
      texts.__('Log of Covalent'),
      texts.__('Show what the dispatcher logged')
    ]
  ];
  for (const [id, page, label, caption] of pages) {
    commands.addCommand(id, { label, caption, execute: () => show(page) });
  }
  commands.addCommand(CommandIds.openQuickstart, {
    label: args =>
      args.isLauncher === true ? texts.__('Quickstart') : texts.__('Open Quickstart'),
    caption: texts.__('Open the first tutorial'),
    icon: args => (args.isPalette === true ? undefined : icon),
    execute: () => reporting(context.openQuickstart)
  });
}
