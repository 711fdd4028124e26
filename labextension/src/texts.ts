/** Texts that people read: how they are translated, in JupyterLab and without it. */

import type { ITranslator } from '@jupyterlab/translation';

/** The part of JupyterLab's TranslationBundle that is used; `%1`, `%2`, … are filled in. */
export interface ITexts {
  __(text: string, ...values: (string | number)[]): string;
}

/** Texts as written, for places without JupyterLab. */
export const plainTexts: ITexts = {
  __: (text, ...values) =>
    text.replace(/%(\d+)/g, (whole, index) => String(values[Number(index) - 1] ?? whole))
};

/** The texts of this extension in the language of JupyterLab. */
export function textsOf(translator: ITranslator | null): ITexts {
  return translator?.load('covalent_lab') ?? plainTexts;
}
