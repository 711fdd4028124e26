/** Commands that use a notebook: cells that load, run again or debug, and the cell that dispatched. */

import { Notification } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';

import {
  canDebug,
  canHaveResult,
  canReplace,
  debugCode,
  formExpression,
  hasOutput,
  isDefinedIn,
  originOf,
  outputCode,
  replaceCode,
  rerunCode,
  resultCode
} from '../model';
import type { ICovalentLab, INotebooks } from '../tokens';
import { CommandIds } from './ids';
import type { ITexts } from '../texts';
import { reporting, type ITarget } from './target';

/** One argument in the form; see the form's own description. */
interface IField {
  name: string;
  text: string;
  summary: string;
}

/** What the kernel says of texts. */
interface IChecked {
  values: Record<string, string>;
  errors: Record<string, string>;
}

/** What the commands work on. */
export interface INotebookContext {
  lab: ICovalentLab;
  notebooks: INotebooks;
  texts: ITexts;
  target: ITarget;
  /** Shows the form; null if it was left. */
  editArguments: (options: {
    name: string;
    fields: IField[];
    check: (changes: Readonly<Record<string, string>>) => Promise<IChecked>;
  }) => Promise<{ changes: Readonly<Record<string, string>>; reusesResults: boolean } | null>;
}

/** Adds them to a registry. */
export function addNotebookCommands(commands: CommandRegistry, context: INotebookContext): void {
  const { lab, notebooks, target, texts } = context;
  commands.addCommand(
    CommandIds.rerunWith,
    target.onDispatch(
      texts.__('Run Again with Other Arguments…'),
      texts.__('Change arguments of the workflow, and run it from a notebook'),
      dispatchId => reporting(() => rerunWith(dispatchId, context))
    )
  );
  commands.addCommand(
    CommandIds.loadResult,
    target.onDispatch(
      texts.__('Load Result in Notebook'),
      texts.__('Put a cell into the notebook that loads the result of a dispatch'),
      dispatchId => reporting(() => notebooks.insert(resultCode(dispatchId), { runs: true })),
      canHaveResult
    )
  );
  commands.addCommand(
    CommandIds.openOrigin,
    target.onDispatch(
      texts.__('Open Notebook Cell'),
      texts.__('Show the notebook cell that made a dispatch'),
      dispatchId =>
        reporting(async () => {
          const origin = originOf(await lab.detail(dispatchId));
          if (origin === null || origin.notebook === null) {
            throw new Error(
              origin === null
                ? texts.__('It is not known where this was dispatched.')
                : texts.__('It was dispatched by the script %1.', origin.script ?? '')
            );
          }
          await notebooks.reveal(origin.notebook, origin.cellId);
        })
    )
  );
  commands.addCommand(
    CommandIds.copyExpression,
    target.onDispatch(
      texts.__('Copy Python for Result'),
      texts.__('Copy an expression that loads the result of a dispatch'),
      dispatchId => navigator.clipboard.writeText(resultCode(dispatchId)),
      canHaveResult
    )
  );
  commands.addCommand(
    CommandIds.loadOutput,
    target.onNode(
      texts.__('Load Output in Notebook'),
      texts.__('Put a cell into the notebook that loads the output of a node'),
      (dispatchId, nodeId) =>
        reporting(() => notebooks.insert(outputCode(dispatchId, nodeId), { runs: true })),
      hasOutput
    )
  );
  commands.addCommand(
    CommandIds.debugNode,
    target.onNode(
      texts.__('Debug in Notebook'),
      texts.__('Put cells into the notebook that step through the call of a node'),
      (dispatchId, nodeId) =>
        reporting(() => notebooks.insert(debugCode(dispatchId, nodeId), { runs: true })),
      canDebug
    )
  );
  commands.addCommand(
    CommandIds.replaceNode,
    target.onNode(
      texts.__('Run Again with the Active Cell'),
      texts.__(
        'Put the function that the active notebook cell defines in the place of that of a node'
      ),
      (dispatchId, nodeId) => reporting(() => replaceNode(dispatchId, nodeId, context)),
      canReplace
    )
  );
}

async function rerunWith(dispatchId: string, context: INotebookContext): Promise<void> {
  const { lab, notebooks } = context;
  const ask = (name: 'form_of' | 'check', argument: string) =>
    notebooks.ask(formExpression(name, argument));
  const { name } = await lab.detail(dispatchId);
  const { fields } = (await ask('form_of', dispatchId)) as { fields: IField[] };
  const entered = await context.editArguments({
    name,
    fields,
    check: async changes => (await ask('check', JSON.stringify(changes))) as IChecked
  });
  if (entered !== null) {
    const code = rerunCode(dispatchId, entered.changes, entered.reusesResults);
    await notebooks.insert(code, { runs: true });
  }
}

async function replaceNode(
  dispatchId: string,
  nodeId: number,
  context: INotebookContext
): Promise<void> {
  const { lab, notebooks, texts } = context;
  const name = (await lab.node(dispatchId, nodeId)).function_name ?? '';
  const source = notebooks.activeSource;
  if (name === '' || source === null || !isDefinedIn(source, name)) {
    Notification.warning(
      name === ''
        ? texts.__('This node calls no function.')
        : texts.__('Select a notebook cell that defines a function %1 first.', name),
      { autoClose: 6000 }
    );
    return;
  }
  await notebooks.runActive();
  await notebooks.insert(replaceCode(dispatchId, name), { runs: true });
}
