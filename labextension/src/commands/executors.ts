/** The command that shows the executors, and how pages that they name are opened. */

import type { CommandRegistry } from '@lumino/commands';

import type { ITexts } from '../texts';

/** Names of the commands around executors. */
export const ExecutorCommandIds = { openExecutors: 'covalent-lab:open-executors' } as const;

/** Of dask-labextension: opens its panes on the dashboard at `url`. */
const DASK_LAYOUT = 'dask:populate-and-launch-layout';

/** Adds them to a registry. */
export function addExecutorCommands(
  commands: CommandRegistry,
  context: { texts: ITexts; openExecutors: () => void }
): void {
  const { texts } = context;
  commands.addCommand(ExecutorCommandIds.openExecutors, {
    label: texts.__('Show Executors'),
    caption: texts.__('Show where tasks can run: check, test and set executors'),
    execute: () => context.openExecutors()
  });
}

/** Opens a dashboard: in JupyterLab where the extension of Dask is there, else in a tab of the browser. */
export async function openDashboard(commands: CommandRegistry, url: string): Promise<void> {
  if (commands.hasCommand(DASK_LAYOUT)) {
    await commands.execute(DASK_LAYOUT, { url });
  } else {
    window.open(url, '_blank', 'noopener');
  }
}
