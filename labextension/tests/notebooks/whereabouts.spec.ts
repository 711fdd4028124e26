import { describe, expect, it } from 'vitest';

import { notebookWith, type IOpenNotebook } from '../../src/notebooks/whereabouts';

/** A folder of notebooks, each with the ids of its cells; those further right are newer. */
function folderOf(files: Record<string, string[]>) {
  const asked: string[] = [];
  const models = Object.keys(files).map((path, age) => ({
    path,
    type: path.endsWith('.ipynb') ? 'notebook' : 'file',
    last_modified: `2026-01-0${age + 1}T00:00:00Z`
  }));
  const get = async (path: string): Promise<never> => {
    asked.push(path);
    if (path in files) {
      return { content: { cells: files[path].map(id => ({ id })) } } as never;
    }
    if (path === 'fits') {
      return { content: models } as never;
    }
    throw new Error('no such file');
  };
  return { asked, contents: { get } };
}

const where = (
  files: Record<string, string[]>,
  open: IOpenNotebook[] = [],
  path = 'fits/a.ipynb'
) => {
  const folder = folderOf(files);
  return notebookWith('wanted', path, { open, ...folder }).then(found => ({ found, ...folder }));
};

describe('the notebook that has a cell', () => {
  it('is the one it was in, also beside an open copy', async () => {
    const open = [{ path: 'fits/copy.ipynb', cellIds: ['wanted'] }];
    const { found } = await where({ 'fits/a.ipynb': ['wanted'] }, open);
    expect(found).toBe('fits/a.ipynb');
  });

  it('need not be saved while it is open', async () => {
    const { asked, found } = await where({}, [{ path: 'fits/a.ipynb', cellIds: ['wanted'] }]);
    expect([found, asked]).toEqual(['fits/a.ipynb', []]);
  });

  it('is found while it is open under another name or in another folder', async () => {
    const open = [
      { path: 'x.ipynb', cellIds: ['other'] },
      { path: 'new/b.ipynb', cellIds: ['wanted'] }
    ];
    expect((await where({ 'fits/a.ipynb': ['another notebook'] }, open)).found).toBe('new/b.ipynb');
  });

  it('is found in the same folder, newest first', async () => {
    const { asked, found } = await where({
      'fits/old.ipynb': ['wanted'],
      'fits/notes.txt': [],
      'fits/b.ipynb': ['wanted'],
      'fits/c.ipynb': ['other']
    });
    expect(found).toBe('fits/b.ipynb');
    expect(asked).toEqual(['fits/a.ipynb', 'fits', 'fits/c.ipynb', 'fits/b.ipynb']);
  });

  it('may be gone', async () => {
    expect((await where({ 'fits/b.ipynb': [] })).found).toBeNull();
    expect((await where({}, [], 'gone/a.ipynb')).found).toBeNull();
  });
});
