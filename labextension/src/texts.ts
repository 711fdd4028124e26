/** Texts that people read: how they are translated, in JupyterLab and without it. */

import type { ITranslator } from '@jupyterlab/translation';

/** The part of JupyterLab's TranslationBundle that is used; `%1`, `%2`, … are filled in. */
export interface ITexts {
  __(text: string, ...values: (string | number)[]): string;
  /** The text for a number of things, which is `%1`. */
  _n(one: string, many: string, count: number, ...values: (string | number)[]): string;
}

/** Texts as written, for places without JupyterLab. */
export const plainTexts: ITexts = {
  __: fill,
  _n: (one, many, count, ...values) => fill(count === 1 ? one : many, count, ...values)
};

function fill(text: string, ...values: (string | number)[]): string {
  return text.replace(/%(\d+)/g, (whole, index) => String(values[Number(index) - 1] ?? whole));
}

/** The texts of this extension in the language of JupyterLab. */
export function textsOf(translator: ITranslator | null): ITexts {
  return translator?.load('covalent_lab') ?? plainTexts;
}

/** The event by which outputs that cannot ask JupyterLab's services ask the page for texts. */
const TEXTS_EVENT = 'covalent-lab:texts';

/** The texts that this page offers; English where no extension of JupyterLab does. */
export function textsOfPage(): ITexts {
  const request = { texts: plainTexts };
  document.dispatchEvent(new CustomEvent(TEXTS_EVENT, { detail: request }));
  return request.texts;
}

/** Offers texts to everything on this page; returns what ends it. */
export function offerTexts(texts: ITexts): () => void {
  const answer = (event: Event) => {
    (event as CustomEvent<{ texts: ITexts }>).detail.texts = texts;
  };
  document.addEventListener(TEXTS_EVENT, answer);
  return () => document.removeEventListener(TEXTS_EVENT, answer);
}
