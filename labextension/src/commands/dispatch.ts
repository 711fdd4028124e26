/** Commands on dispatches. They act through models; how things look is none of their business. */

import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';

import { canCancel, canDelete, canCancelNode, canRunRest } from '../model';
import type { ICovalentLab, ICovalentViews } from '../tokens';
import { CommandIds } from './ids';
import type { ITexts } from '../texts';
import { offered, reporting, type ITarget } from './target';

/** What the commands work on. */
export interface ICommandContext {
  lab: ICovalentLab;
  views: ICovalentViews;
  texts: ITexts;
  showSidebar: () => void;
  target: ITarget;
}

type Filter = ICovalentLab['dispatches']['filter'];
type IMatchingArgs = Filter & { count: number };

/** Adds all commands to a registry. */
export function addCommands(commands: CommandRegistry, context: ICommandContext): void {
  const { lab, views, texts, target } = context;
  const { dispatchOf, onDispatch } = target;
  const idsOf = (args: { readonly [key: string]: unknown }): string[] => {
    if (Array.isArray(args.dispatchIds)) {
      return args.dispatchIds.filter((id): id is string => typeof id === 'string');
    }
    const dispatchId = dispatchOf(args);
    return dispatchId === null ? [] : [dispatchId];
  };
  const isRemovable = (dispatchId: string): boolean => {
    const status = target.statusOf(dispatchId);
    return status === null || canDelete(status);
  };

  commands.addCommand(CommandIds.openDispatch, {
    label: texts.__('Open Graph'),
    caption: texts.__('Show the graph of a dispatch'),
    ...offered(args => dispatchOf(args) !== null),
    execute: args => {
      const dispatchId = dispatchOf(args);
      if (dispatchId !== null) {
        views.open(dispatchId, typeof args.nodeId === 'number' ? args.nodeId : undefined);
      }
    }
  });
  commands.addCommand(
    CommandIds.cancel,
    onDispatch(
      texts.__('Cancel Dispatch'),
      texts.__('Stop a running workflow'),
      dispatchId =>
        reporting(async () => {
          const message = await lab.dispatches.cancel(dispatchId);
          Notification.info(message, { autoClose: 3000 });
        }),
      canCancel
    )
  );
  const rerun = (reusesResults: boolean) => (dispatchId: string) =>
    reporting(async () => {
      views.open(await lab.dispatches.redispatch(dispatchId, reusesResults));
    });
  commands.addCommand(
    CommandIds.rerun,
    onDispatch(
      texts.__('Run Again'),
      texts.__('Run every task of a dispatch again, with the same inputs'),
      rerun(false)
    )
  );
  commands.addCommand(
    CommandIds.rerunRest,
    onDispatch(
      texts.__('Run Again, Reusing Results'),
      texts.__('Run what did not complete, and take over the results of the rest'),
      rerun(true),
      canRunRest
    )
  );
  commands.addCommand(CommandIds.remove, {
    label: texts.__('Delete Dispatch…'),
    caption: texts.__('Delete finished dispatches'),
    ...offered(args => idsOf(args).some(isRemovable)),
    execute: args => {
      const ids = idsOf(args);
      return ids.some(isRemovable)
        ? removeWithDialog(ids, context)
        : warnOfActive(ids.length, context);
    }
  });
  commands.addCommand(CommandIds.removeMatching, {
    label: texts.__('Delete All Dispatches…'),
    caption: texts.__('Delete all finished dispatches that a filter shows'),
    execute: args => {
      const { search, statuses, count } = args as Partial<IMatchingArgs>;
      return removeMatchingWithDialog(
        { search: search ?? '', statuses: statuses ?? [] },
        count,
        context
      );
    }
  });
  commands.addCommand(
    CommandIds.copyId,
    onDispatch(texts.__('Copy Dispatch Id'), texts.__('Copy the id of a dispatch'), dispatchId =>
      navigator.clipboard.writeText(dispatchId)
    )
  );
  commands.addCommand(
    CommandIds.cancelNode,
    target.onNode(
      texts.__('Cancel Task'),
      texts.__('Stop one task of a running workflow; what needs it will not start'),
      (dispatchId, nodeId) =>
        reporting(async () => {
          Notification.info(await lab.cancelNode(dispatchId, nodeId), { autoClose: 3000 });
        }),
      canCancelNode
    )
  );
  commands.addCommand(CommandIds.toggleFold, {
    label: () =>
      views.isUnfolded === true ? texts.__('Fold Sublattice') : texts.__('Unfold Sublattice'),
    caption: texts.__('Draw the nodes of the selected sublattice in its place, or no longer'),
    ...offered(() => views.isUnfolded !== null),
    execute: () => views.toggleFold()
  });
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

async function removeWithDialog(ids: readonly string[], context: ICommandContext): Promise<void> {
  const { lab, texts } = context;
  const name = lab.dispatches.find(ids[0])?.name ?? '';
  const isSure = await isDeletionWanted(
    context,
    texts._n('Delete this dispatch?', 'Delete these %1 dispatches?', ids.length),
    ids.length === 1
      ? texts.__(
          '%1 and everything it computed will be deleted. This cannot be undone.',
          `${name} (${ids[0].slice(0, 8)})`.trim()
        )
      : texts.__('They and everything they computed will be deleted. This cannot be undone.')
  );
  if (isSure) {
    await reporting(async () => warnOfActive(await lab.dispatches.remove(ids), context));
  }
}

async function removeMatchingWithDialog(
  filter: Filter,
  count: number | undefined,
  context: ICommandContext
): Promise<void> {
  const { lab, texts } = context;
  const isSure = await isDeletionWanted(
    context,
    count === undefined
      ? texts.__('Delete all dispatches?')
      : texts._n(
          'Delete the %1 dispatch of this list?',
          'Delete all %1 dispatches of this list?',
          count
        ),
    texts.__(
      'All pages are meant, not only the one on the screen. What they computed will be deleted, too. Those that run stay. This cannot be undone.'
    )
  );
  if (isSure) {
    await reporting(async () => {
      const { deleted, active } = await lab.dispatches.removeMatching(filter);
      Notification.info(
        texts._n('%1 dispatch was deleted.', '%1 dispatches were deleted.', deleted),
        { autoClose: 3000 }
      );
      warnOfActive(active, context);
    });
  }
}

async function isDeletionWanted(
  context: ICommandContext,
  title: string,
  body: string
): Promise<boolean> {
  const { texts } = context;
  const answer = await showDialog({
    title,
    body,
    buttons: [
      Dialog.cancelButton({ label: texts.__('Keep') }),
      Dialog.warnButton({ label: texts.__('Delete') })
    ]
  });
  return answer.button.accept;
}

function warnOfActive(count: number, context: ICommandContext): void {
  if (count > 0) {
    const text = context.texts.__('%1 still running: cancel first what is to be deleted.', count);
    Notification.warning(text, { autoClose: 5000 });
  }
}
