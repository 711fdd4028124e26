/**
 * Which dispatch or node a command is about: what its arguments name; for an entry of a context menu what is under the
 * pointer; else what is in front. And whether it can do anything for the state that this is in.
 */

import { Notification } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';

import type { DispatchStatus } from '../contract';
import type { INodeFacts } from '../model';
import { messageOf } from '../model';

type Args = { readonly [key: string]: unknown };
type Options = CommandRegistry.ICommandOptions;

/** Arguments of entries in context menus; such an entry is left out where it can do nothing, others are greyed. */
export const POINTED = { isPointed: true } as const;

/** What people look at: under the pointer when the context menu opened, or in front. */
export interface ILooked {
  dispatchId(isPointed: boolean): string | null;
  node(isPointed: boolean): INodeTarget | null;
}

/** A node, and the dispatch that it is in. */
export interface INodeTarget {
  readonly dispatchId: string;
  readonly nodeId: number;
}

/** What the page knows without asking the server; null where it does not. */
export interface IKnown {
  status(dispatchId: string): DispatchStatus | null;
  node(dispatchId: string, nodeId: number): INodeFacts | null;
}

/** Makes commands that are about something. */
export interface ITarget {
  /** `allows` tells in which states it can do something; in one that is not known it is offered. */
  onDispatch(
    label: string,
    caption: string,
    act: (dispatchId: string) => unknown,
    allows?: (status: DispatchStatus) => boolean
  ): Options;
  onNode(
    label: string,
    caption: string,
    act: (dispatchId: string, nodeId: number) => unknown,
    allows?: (node: INodeFacts) => boolean
  ): Options;
  dispatchOf(args: Args): string | null;
  /** The state of a dispatch, if it is known. */
  statusOf(dispatchId: string): DispatchStatus | null;
}

/** Targets where arguments name none come from what is looked at. */
export function targets(looked: ILooked, known: IKnown = NOTHING): ITarget {
  const dispatchOf = (args: Args) =>
    typeof args.dispatchId === 'string'
      ? args.dispatchId
      : looked.dispatchId(args.isPointed === true);
  const nodeOf = (args: Args): INodeTarget | null => {
    const dispatchId = dispatchOf(args);
    if (typeof args.nodeId === 'number') {
      return dispatchId === null ? null : { dispatchId, nodeId: args.nodeId };
    }
    return typeof args.dispatchId === 'string' ? null : looked.node(args.isPointed === true);
  };
  return {
    dispatchOf,
    statusOf: dispatchId => known.status(dispatchId),
    onDispatch: (label, caption, act, allows) => ({
      label,
      caption,
      ...offered(args => {
        const dispatchId = dispatchOf(args);
        return dispatchId !== null && isAllowed(known.status(dispatchId), allows);
      }),
      execute: async args => {
        const dispatchId = dispatchOf(args);
        if (dispatchId !== null) {
          await act(dispatchId);
        }
      }
    }),
    onNode: (label, caption, act, allows) => ({
      label,
      caption,
      ...offered(args => {
        const node = nodeOf(args);
        return node !== null && isAllowed(known.node(node.dispatchId, node.nodeId), allows);
      }),
      execute: async args => {
        const node = nodeOf(args);
        if (node !== null) {
          await act(node.dispatchId, node.nodeId);
        }
      }
    })
  };
}

/** When a command can be chosen, and that a context menu leaves it out otherwise. */
export function offered(
  isEnabled: (args: Args) => boolean
): Required<Pick<Options, 'isEnabled' | 'isVisible'>> {
  return { isEnabled, isVisible: args => args.isPointed !== true || isEnabled(args) };
}

/** Does something, and tells people why if it fails. */
export async function reporting(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (reason) {
    Notification.error(messageOf(reason), { autoClose: false }); // without it only the bell would tell
  }
}

const NOTHING: IKnown = { status: () => null, node: () => null };

function isAllowed<T>(state: T | null, allows: ((state: T) => boolean) | undefined): boolean {
  return state === null || allows === undefined || allows(state);
}
