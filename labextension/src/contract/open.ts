/** The event by which outputs ask to open a dispatch; it bubbles to the document. */

/** Name of the event. */
export const OPEN_EVENT = 'covalent-lab:open';

/** Its detail. */
export interface IOpenRequest {
  dispatchId: string;
  nodeId?: number;
}

/** Asks the page to show a dispatch; nothing happens where no extension listens. */
export function requestOpen(from: Element, request: IOpenRequest): void {
  from.dispatchEvent(
    new CustomEvent(OPEN_EVENT, { detail: request, bubbles: true, composed: true })
  );
}
