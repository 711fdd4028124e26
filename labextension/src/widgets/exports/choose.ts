/** Questions before an export or a comparison. */

import { InputDialog } from '@jupyterlab/apputils';

import type { ExportFormat, Summary } from '../../contract';
import { EXPORT_FORMATS } from '../../contract';
import { formatTime } from '../../graph/dates';
import type { ITexts } from '../../graph/style';
import { shortId, statusWord } from '../../graph/style';

/** Asks for a format; null if the question was left. */
export async function chooseFormat(texts: ITexts): Promise<ExportFormat | null> {
  const names: Record<ExportFormat, string> = {
    html: texts.__('Page with everything (.html)'),
    svg: texts.__('Picture of the graph (.svg)'),
    png: texts.__('Picture of the graph (.png)'),
    mmd: texts.__('Mermaid diagram (.mmd)'),
    dot: texts.__('Graphviz graph (.dot)'),
    py: texts.__('Python script (.py)')
  };
  const items = EXPORT_FORMATS.map(format => names[format]);
  const { value } = await InputDialog.getItem({
    title: texts.__('Export dispatch'),
    label: texts.__('What to write'),
    okLabel: texts.__('Export'),
    items
  });
  return EXPORT_FORMATS[items.indexOf(value ?? '')] ?? null;
}

/** Asks for the other dispatch of a comparison: one of those at hand, or any by its id; null if that was left. */
export async function chooseOther(
  dispatchId: string,
  dispatches: readonly Summary[],
  texts: ITexts
): Promise<string | null> {
  const own = dispatches.find(item => item.dispatch_id === dispatchId)?.name;
  const others = dispatches
    .filter(item => item.dispatch_id !== dispatchId)
    .sort((a, b) => Number(b.name === own) - Number(a.name === own));
  const now = Date.now() / 1000;
  const items = others.map(item =>
    [
      item.name || texts.__('unnamed'),
      shortId(item.dispatch_id),
      statusWord(item.status, texts),
      formatTime(item.created_at, now, texts)
    ].join(' · ')
  );
  const { value } = await InputDialog.getItem({
    title: texts.__('Compare with…'),
    label: texts.__('Another dispatch; or the id of one that is not listed'),
    okLabel: texts.__('Compare'),
    items,
    editable: true
  });
  const chosen = value?.trim() ?? '';
  return others[items.indexOf(chosen)]?.dispatch_id ?? (chosen === '' ? null : chosen);
}
