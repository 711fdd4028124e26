/** Which dispatch or node a command is about: what its arguments name, or what is under the pointer or in front. */

import { Notification } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';

import { messageOf } from '../model';

type Args = { readonly [key: string]: unknown };
type Options = CommandRegistry.ICommandOptions;

/** Makes commands that are about something. */
export interface ITarget {
  onDispatch(label: string, caption: string, act: (dispatchId: string) => unknown): Options;
  onNode(
    label: string,
    caption: string,
    act: (dispatchId: string, nodeId: number) => unknown
  ): Options;
  dispatchOf(args: Args): string | null;
}

/** Targets where arguments name none come from what is looked at. */
export function targets(looked: {
  dispatchId: () => string | null;
  nodeId: () => number | null;
}): ITarget {
  const dispatchOf = (args: Args) =>
    typeof args.dispatchId === 'string' ? args.dispatchId : looked.dispatchId();
  const nodeOf = (args: Args) => (typeof args.nodeId === 'number' ? args.nodeId : looked.nodeId());
  return {
    dispatchOf,
    onDispatch: (label, caption, act) => ({
      label,
      caption,
      isEnabled: args => dispatchOf(args) !== null,
      execute: async args => {
        const dispatchId = dispatchOf(args);
        if (dispatchId !== null) {
          await act(dispatchId);
        }
      }
    }),
    onNode: (label, caption, act) => ({
      label,
      caption,
      isEnabled: args => dispatchOf(args) !== null && nodeOf(args) !== null,
      execute: async args => {
        const [dispatchId, nodeId] = [dispatchOf(args), nodeOf(args)];
        if (dispatchId !== null && nodeId !== null) {
          await act(dispatchId, nodeId);
        }
      }
    })
  };
}

/** Does something, and tells people why if it fails. */
export async function reporting(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (reason) {
    Notification.error(messageOf(reason), { autoClose: false }); // without it only the bell would tell
  }
}
