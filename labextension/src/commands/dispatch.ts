/** Commands on dispatches. They act through models; how things look is none of their business. */

import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';

import type { ICovalentLab, ICovalentViews } from '../tokens';
import { CommandIds } from './ids';

/** Translates, and fills `%1`. */
interface ITexts {
  __(text: string, ...values: (string | number)[]): string;
}

/** What the commands work on. */
export interface ICommandContext {
  lab: ICovalentLab;
  views: ICovalentViews;
  texts: ITexts;
  showSidebar: () => void;
  /** The dispatch under the pointer or in front, when a command names none. */
  currentId: () => string | null;
}

/** Adds all commands to a registry. */
export function addCommands(commands: CommandRegistry, context: ICommandContext): void {
  const { lab, views, texts } = context;
  const idOf = (args: { [key: string]: unknown }) =>
    typeof args.dispatchId === 'string' ? args.dispatchId : context.currentId();
  const onId = (label: string, caption: string, act: (dispatchId: string) => unknown) => ({
    label,
    caption,
    isEnabled: (args: { [key: string]: unknown }) => idOf(args) !== null,
    execute: async (args: { [key: string]: unknown }) => {
      const dispatchId = idOf(args);
      if (dispatchId !== null) {
        await act(dispatchId);
      }
    }
  });

  commands.addCommand(CommandIds.openDispatch, {
    label: texts.__('Open Graph'),
    caption: texts.__('Show the graph of a dispatch'),
    isEnabled: args => idOf(args) !== null,
    execute: args => {
      const dispatchId = idOf(args);
      if (dispatchId !== null) {
        views.open(dispatchId, typeof args.nodeId === 'number' ? args.nodeId : undefined);
      }
    }
  });
  commands.addCommand(
    CommandIds.cancel,
    onId(texts.__('Cancel Dispatch'), texts.__('Stop a running workflow'), dispatchId =>
      reporting(async () => {
        const message = await lab.dispatches.cancel(dispatchId);
        Notification.info(message, { autoClose: 3000 });
      })
    )
  );
  const rerun = (reusesResults: boolean) => (dispatchId: string) =>
    reporting(async () => {
      views.open(await lab.dispatches.redispatch(dispatchId, reusesResults));
    });
  commands.addCommand(
    CommandIds.rerun,
    onId(
      texts.__('Run Again'),
      texts.__('Run every task of a dispatch again, with the same inputs'),
      rerun(false)
    )
  );
  commands.addCommand(
    CommandIds.rerunRest,
    onId(
      texts.__('Run Again, Reusing Results'),
      texts.__('Run what did not complete, and take over the results of the rest'),
      rerun(true)
    )
  );
  commands.addCommand(
    CommandIds.remove,
    onId(texts.__('Delete Dispatch…'), texts.__('Delete a finished dispatch'), dispatchId =>
      removeWithDialog(dispatchId, context)
    )
  );
  commands.addCommand(
    CommandIds.copyId,
    onId(texts.__('Copy Dispatch Id'), texts.__('Copy the id of a dispatch'), dispatchId =>
      navigator.clipboard.writeText(dispatchId)
    )
  );
  commands.addCommand(CommandIds.refresh, {
    label: texts.__('Refresh Dispatches'),
    caption: texts.__('Load the list of dispatches again'),
    execute: () => lab.dispatches.refresh()
  });
  commands.addCommand(CommandIds.showSidebar, {
    label: texts.__('Show Dispatches'),
    caption: texts.__('Show the list of dispatches in the sidebar'),
    execute: () => context.showSidebar()
  });
}

async function removeWithDialog(dispatchId: string, context: ICommandContext): Promise<void> {
  const { lab, texts } = context;
  const name = lab.dispatches.find(dispatchId)?.name ?? '';
  const answer = await showDialog({
    title: texts.__('Delete this dispatch?'),
    body: texts.__(
      '%1 and everything it computed will be deleted. This cannot be undone.',
      `${name} (${dispatchId.slice(0, 8)})`.trim()
    ),
    buttons: [
      Dialog.cancelButton({ label: texts.__('Keep') }),
      Dialog.warnButton({ label: texts.__('Delete') })
    ]
  });
  if (!answer.button.accept) {
    return;
  }
  await reporting(async () => {
    const refused = await lab.dispatches.remove([dispatchId]);
    if (refused > 0) {
      Notification.warning(texts.__('It is still running: cancel it first.'), { autoClose: 5000 });
    }
  });
}

async function reporting(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (reason) {
    Notification.error(reason instanceof Error ? reason.message : String(reason));
  }
}
