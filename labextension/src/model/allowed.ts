/** What can still be done with a dispatch, or one of its nodes, as it stands: buttons, menus and palette ask here. */

import type { DispatchStatus, NodeStatus } from '../contract';
import { isTerminal } from '../contract';
import type { NodeKind } from '../graph/structure';

/** As much of a node as decides. */
export interface INodeFacts {
  readonly kind: NodeKind;
  readonly status: NodeStatus;
}

/** What has ended cannot be stopped. */
export function canCancel(status: DispatchStatus): boolean {
  return !isTerminal(status);
}

/** Whether something of an ended dispatch is left to run. */
export function canRunRest(status: DispatchStatus): boolean {
  return isTerminal(status) && status !== 'COMPLETED';
}

/** Whether there is a result, or may be one: a cell that loads it waits for the end. */
export function canHaveResult(status: DispatchStatus): boolean {
  return !isTerminal(status) || status === 'COMPLETED';
}

/** What runs has to be cancelled first. */
export function canDelete(status: DispatchStatus): boolean {
  return isTerminal(status) || status === 'NEW_OBJECT';
}

/** Values are there from the start; nothing of them can be stopped. */
export function canCancelNode({ kind, status }: INodeFacts): boolean {
  return kind !== 'parameter' && !isTerminal(status);
}

/** Whether a node has an output. */
export function hasOutput({ status }: INodeFacts): boolean {
  return status === 'COMPLETED';
}

/** Whether there is a call to step through: of a function, whose arguments are known once it was given to an executor. */
export function canDebug({ kind, status }: INodeFacts): boolean {
  return kind === 'function' && status !== 'NEW_OBJECT' && status !== 'PENDING_REUSE';
}

/** Whether another function can take the place of this one in a new run. */
export function canReplace({ kind, status }: INodeFacts): boolean {
  return kind === 'function' && isTerminal(status);
}
