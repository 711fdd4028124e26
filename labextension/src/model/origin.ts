/** Where a dispatch was made. */

import type { Detail } from '../contract';

/** The notebook and cell, or the script; the others are null. */
export interface IOrigin {
  readonly notebook: string | null;
  readonly cellId: string | null;
  readonly script: string | null;
}

/** What the server tells of it; null if it does not know. */
export function originOf(detail: Detail): IOrigin | null {
  const { origin } = detail as Detail & { origin?: Readonly<Record<string, unknown>> | null };
  const text = (key: string) => {
    const value = origin?.[key];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const found = { notebook: text('notebook'), cellId: text('cell_id'), script: text('script') };
  return found.notebook === null && found.script === null ? null : found;
}
