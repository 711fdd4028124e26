/** Finds the notebook that has a cell, although the file may have been renamed since. */

import type { Contents } from '@jupyterlab/services';

/** Files that are looked into, the one that changed last first. */
const MOST_FILES = 40;

/** A notebook that is open: what it shows need not be saved. */
export interface IOpenNotebook {
  readonly path: string;
  readonly cellIds: readonly string[];
}

/**
 * The path of the notebook that has a cell: where the cell was, else one that is open, else one in the same folder.
 * Null if none of them has it.
 */
export async function notebookWith(
  cellId: string,
  path: string,
  place: { open: readonly IOpenNotebook[]; contents: Pick<Contents.IManager, 'get'> }
): Promise<string | null> {
  const { contents, open } = place;
  const shown = open.filter(({ cellIds }) => cellIds.includes(cellId)).map(found => found.path);
  if (shown.includes(path) || (await hasCell(path, cellId, contents))) {
    return path;
  }
  if (shown.length > 0) {
    return shown[0];
  }
  for (const beside of await notebooksBeside(path, contents)) {
    if (await hasCell(beside, cellId, contents)) {
      return beside;
    }
  }
  return null;
}

async function hasCell(
  path: string,
  cellId: string,
  contents: Pick<Contents.IManager, 'get'>
): Promise<boolean> {
  const file = await existing(() => contents.get(path, { type: 'notebook', content: true }));
  const cells = (file?.content as { cells?: { id?: string }[] } | undefined)?.cells ?? [];
  return cells.some(({ id }) => id === cellId);
}

async function notebooksBeside(
  path: string,
  contents: Pick<Contents.IManager, 'get'>
): Promise<string[]> {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  const listed = await existing(() => contents.get(folder, { content: true }));
  return ((listed?.content ?? []) as Contents.IModel[])
    .filter(file => file.type === 'notebook' && file.path !== path)
    .sort((one, other) => other.last_modified.localeCompare(one.last_modified))
    .slice(0, MOST_FILES)
    .map(file => file.path);
}

/** What is asked for; null where the server has no such thing. */
async function existing(ask: () => Promise<Contents.IModel>): Promise<Contents.IModel | null> {
  try {
    return await ask();
  } catch {
    return null;
  }
}
