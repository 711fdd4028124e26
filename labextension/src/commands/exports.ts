/** Commands that take a dispatch away as a file, or put two side by side. */

import type { CommandRegistry } from '@lumino/commands';

import type { ExportFormat } from '../contract';
import type { ITexts } from '../texts';
import { offered, reporting, type ITarget } from './target';

/** Their names. */
export const ExportCommandIds = {
  exportDispatch: 'covalent-lab:export',
  compare: 'covalent-lab:compare'
} as const;

/** What the commands work on. */
export interface IExportContext {
  texts: ITexts;
  target: ITarget;
  /** Asks; null if the question was left. */
  chooseFormat: () => Promise<ExportFormat | null>;
  chooseOther: (dispatchId: string) => Promise<string | null>;
  /** Writes the file and hands it to the browser. */
  save: (dispatchId: string, format: ExportFormat) => Promise<void>;
  openComparison: (left: string, right: string) => void;
}

/** Adds them to a registry. Arguments: `dispatchId` and `format`; or `dispatchIds`, the two to compare. */
export function addExportCommands(commands: CommandRegistry, context: IExportContext): void {
  const { texts, target } = context;
  commands.addCommand(ExportCommandIds.exportDispatch, {
    label: texts.__('Export…'),
    caption: texts.__('Save a dispatch as a page, picture, diagram or script'),
    ...offered(args => target.dispatchOf(args) !== null),
    execute: args =>
      reporting(async () => {
        const dispatchId = target.dispatchOf(args);
        if (dispatchId !== null) {
          const format =
            (args.format as ExportFormat | undefined) ?? (await context.chooseFormat());
          if (format !== null) {
            await context.save(dispatchId, format);
          }
        }
      })
  });
  commands.addCommand(ExportCommandIds.compare, {
    label: texts.__('Compare with…'),
    caption: texts.__('Show two dispatches side by side'),
    ...offered(args => pairOf(args) !== null || target.dispatchOf(args) !== null),
    execute: args =>
      reporting(async () => {
        const pair = pairOf(args);
        const left = pair?.[0] ?? target.dispatchOf(args);
        const right = pair?.[1] ?? (left === null ? null : await context.chooseOther(left));
        if (left !== null && right !== null) {
          context.openComparison(left, right);
        }
      })
  });
}

function pairOf(args: { readonly [key: string]: unknown }): readonly [string, string] | null {
  const ids: unknown = args.dispatchIds;
  return Array.isArray(ids) && ids.length === 2 && ids.every(id => typeof id === 'string')
    ? [ids[0] as string, ids[1] as string]
    : null;
}
