/** Texts for what does not know JupyterLab's translator: the widget in outputs, and the form of the settings. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';

import { offerTexts, textsOf } from '../texts';

export const textsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'covalent-lab:texts',
  description: 'Texts of outputs in the language of JupyterLab.',
  autoStart: true,
  requires: [ITranslator],
  activate: (app: JupyterFrontEnd, translator: ITranslator) => void offerTexts(textsOf(translator))
};

/**
 * Puts the titles and descriptions of settings into the language of JupyterLab.
 *
 * The server does that too, but only with texts that the language pack of JupyterLab itself has.
 */
export function translateSettings(
  plugin: ISettingRegistry.IPlugin,
  translator: ITranslator | null
): ISettingRegistry.IPlugin {
  const texts = translator?.load('covalent_lab');
  const translate = (part: { title?: string; description?: string }, context: string) => {
    for (const key of ['title', 'description'] as const) {
      const text = part[key];
      if (text !== undefined && texts !== undefined) {
        // eslint-disable-next-line texts/translated -- the template has the texts of the schema
        part[key] = texts._p(context, text);
      }
    }
  };
  translate(plugin.schema, 'schema');
  Object.values(plugin.schema.properties ?? {}).forEach(part => translate(part, 'settings'));
  return plugin;
}
