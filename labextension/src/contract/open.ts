/** The events by which parts of a page ask to open something; they bubble to the document. */

import type { IDisposable } from '@lumino/disposable';

import type { ILatticeBundle } from './guards';

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

/** Name of the event that asks for the timeline of a dispatch; its detail is the dispatch's id. */
export const TIMELINE_EVENT = 'covalent-lab:open-timeline';

/** Asks the page for the timeline of a dispatch. */
export function requestTimeline(from: Element, dispatchId: string): void {
  from.dispatchEvent(
    new CustomEvent(TIMELINE_EVENT, { detail: dispatchId, bubbles: true, composed: true })
  );
}

/** Name of the event that asks to draw data of a MIME type; its detail is an `IRenderRequest`. */
export const RENDER_EVENT = 'covalent-lab:render';

/** Data to be drawn. */
export interface IRenderRequest {
  readonly mimeType: string;
  readonly data: unknown;
  /** Where to draw it. */
  readonly host: HTMLElement;
  /** Set by whoever draws it; removes the drawing. */
  drawn: IDisposable | null;
}

/** Asks the page to draw data in a way that only it knows; returns the drawing, or null if it knows none. */
export function requestRender(
  host: HTMLElement,
  mimeType: string,
  data: unknown
): IDisposable | null {
  const request: IRenderRequest = { mimeType, data, host, drawn: null };
  document.dispatchEvent(new CustomEvent(RENDER_EVENT, { detail: request }));
  return request.drawn;
}

/** Name of the event that says what was drawn last; its detail is an `IPreviewRequest`. */
export const PREVIEW_EVENT = 'covalent-lab:preview';

/** A drawn workflow that no dispatch stands for. */
export interface IPreviewRequest {
  bundle: ILatticeBundle;
  /** Somebody wants to see it in the main area. */
  isAsked: boolean;
}

/** Tells the page of a drawn workflow; an output that is being made is not in the page yet, so the page itself hears it. */
export function announcePreview(request: IPreviewRequest): void {
  document.dispatchEvent(new CustomEvent(PREVIEW_EVENT, { detail: request }));
}
