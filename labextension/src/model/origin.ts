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
  const { notebook = null, script = null, cell_id: cellId = null } = detail.origin ?? {};
  return notebook === null && script === null ? null : { notebook, cellId, script };
}
