/** Texts in the language of JupyterLab, by its own translator and the German that is shipped. */

import type { ITranslatorConnector } from '@jupyterlab/translation';
import { TranslationManager } from '@jupyterlab/translation';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import german from '../../covalent_lab/locale/de_DE/LC_MESSAGES/covalent_lab.json';
import renderer from '../src/mime';
import { offerTexts, plainTexts, textsOf, textsOfPage } from '../src/texts';

let manager: TranslationManager;

beforeEach(async () => {
  const connector = { fetch: async () => ({ data: { covalent_lab: german }, message: '' }) };
  manager = new TranslationManager('', '', undefined, connector as unknown as ITranslatorConnector);
  await manager.fetch('de-DE');
});

describe('Texts', () => {
  it('are filled in and counted in English where there is no translator', () => {
    const texts = textsOf(null);
    expect(texts.__('Page %1 of %2', 1, 3)).toBe('Page 1 of 3');
    expect([0, 1, 2].map(count => texts._n('%1 node', '%1 nodes', count))).toEqual([
      '0 nodes',
      '1 node',
      '2 nodes'
    ]);
  });

  it('are filled in and counted in the language of JupyterLab', () => {
    const texts = textsOf(manager);
    expect(texts.__('Page %1 of %2', 1, 3)).toBe('Seite 1 von 3');
    expect([1, 2].map(count => texts._n('%1 task', '%1 tasks', count))).toEqual([
      '1 Aufgabe',
      '2 Aufgaben'
    ]);
    expect(texts._n('%2 of %1 task completed', '%2 of %1 tasks completed', 4, 1)).toBe(
      '1 von 4 Aufgaben fertig'
    );
  });
});

describe('An output', () => {
  let end = () => {};
  afterEach(() => end());

  it('is in the language of JupyterLab', async () => {
    const mimeType = 'application/vnd.covalent.lattice+json';
    const options = { mimeType, sanitizer: null as never, resolver: null, linkHandler: null };
    const factory = { ...renderer }.rendererFactory;
    const shown = await Promise.all(
      [manager, undefined].map(async translator => {
        const widget = factory.createRenderer({ ...options, latexTypesetter: null, translator });
        await widget.renderModel({ data: {}, metadata: {}, trusted: true, setData: () => {} });
        return widget.node.textContent;
      })
    );
    expect(shown[0]).toContain('kein Workflow-Graph');
    expect(shown[1]).toContain('not a workflow graph');
  });

  it('gets the texts that the page offers, else English ones', () => {
    expect(textsOfPage()).toBe(plainTexts);
    end = offerTexts(textsOf(manager));
    expect(textsOfPage().__('Cancel')).toBe('Abbrechen');
    end();
    expect(textsOfPage()).toBe(plainTexts);
  });
});
