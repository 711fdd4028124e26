/**
 * The notebooks that are open: which one was used last, new cells in it, and questions to its kernel.
 *
 * Notebooks are recognised by their class, and used by the part of their interface that is needed here: the package
 * that has their types brings a second copy of the editor along.
 */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Kernel } from '@jupyterlab/services';
import type { Widget } from '@lumino/widgets';

import type { ITexts } from '../texts';
import type { INotebooks } from '../tokens';
import { notebookWith } from './whereabouts';

/** A cell, as far as it is used. */
interface ICell {
  readonly model: {
    readonly id: string;
    readonly type: string;
    readonly sharedModel: { readonly source: string };
  };
}

/** A notebook in the main area, as far as it is used. */
interface INotebookPanel extends Widget {
  readonly content: {
    readonly widgets: readonly ICell[];
    activeCellIndex: number;
    readonly model: {
      readonly sharedModel: { insertCell(index: number, cell: Record<string, unknown>): unknown };
    } | null;
    scrollToItem?(index: number): Promise<void>;
  };
  readonly context: { readonly path: string; readonly ready: Promise<void> };
  readonly sessionContext: {
    readonly ready: Promise<void>;
    readonly session: { readonly kernel: Kernel.IKernelConnection | null } | null;
  };
}

/** Why something cannot be done with a notebook; its text is for people. */
export class NotebookError extends Error {}

/** Finds notebooks in the shell. */
export class Notebooks implements INotebooks {
  constructor(app: JupyterFrontEnd, texts: ITexts) {
    this._app = app;
    this._texts = texts;
    app.shell.currentChanged?.connect((_, { newValue }) => this._remember(newValue));
    this._remember(app.shell.currentWidget);
  }

  /** The source of the active cell of the notebook used last; null without one. */
  get activeSource(): string | null {
    const panel = this._find();
    const cell = panel?.content.widgets[panel.content.activeCellIndex];
    return cell?.model.type === 'code' ? cell.model.sharedModel.source : null;
  }

  async insert(source: string, options: { runs: boolean }): Promise<void> {
    const panel = this._find() ?? (await this._create());
    const { content } = panel;
    if (content.model === null) {
      throw new NotebookError(this._texts.__('The notebook is not loaded yet.'));
    }
    this._app.shell.activateById(panel.id);
    const at = Math.min(content.activeCellIndex + 1, content.widgets.length);
    content.model.sharedModel.insertCell(at, { cell_type: 'code', source, metadata: {} });
    content.activeCellIndex = at;
    await content.scrollToItem?.(at);
    if (options.runs) {
      await this._app.commands.execute('notebook:run-cell');
    }
  }

  async runActive(): Promise<void> {
    const panel = this._find();
    if (panel !== null) {
      this._app.shell.activateById(panel.id);
      await this._app.commands.execute('notebook:run-cell');
    }
  }

  async ask(expression: string): Promise<unknown> {
    const kernel = (this._find() ?? (await this._create())).sessionContext.session?.kernel;
    if (!kernel) {
      throw new NotebookError(this._texts.__('The notebook has no kernel. Start one first.'));
    }
    if (kernel.status === 'busy') {
      throw new NotebookError(
        this._texts.__('The kernel is busy. Wait until its cell has ended, or interrupt it.')
      );
    }
    const { content } = await kernel.requestExecute({
      code: '',
      silent: true,
      store_history: false,
      user_expressions: { answer: expression }
    }).done;
    return readAnswer(content, this._texts);
  }

  async reveal(path: string, cellId: string | null): Promise<void> {
    const now = cellId === null ? null : await this._pathOf(cellId, path);
    const opened: unknown = await this._app.commands.execute('docmanager:open', {
      path: now ?? path
    });
    if (!isNotebook(opened)) {
      throw new NotebookError(this._texts.__('%1 is not there any more.', path));
    }
    await opened.context.ready;
    const at = opened.content.widgets.findIndex(cell => cell.model.id === cellId);
    if (cellId !== null && at < 0) {
      throw new NotebookError(this._texts.__('The cell is not in %1 any more.', path));
    }
    if (at >= 0) {
      opened.content.activeCellIndex = at;
      await opened.content.scrollToItem?.(at);
    }
  }

  /** Where a cell is now; null if it is not found. */
  private _pathOf(cellId: string, path: string): Promise<string | null> {
    const open = [...this._app.shell.widgets('main')].filter(isNotebook).map(panel => ({
      path: panel.context.path,
      cellIds: panel.content.widgets.map(cell => cell.model.id)
    }));
    return notebookWith(cellId, path, { open, contents: this._app.serviceManager.contents });
  }

  private _remember(widget: unknown): void {
    if (isNotebook(widget)) {
      this._last = widget;
    }
  }

  /** The notebook that was in front last, or else any. */
  private _find(): INotebookPanel | null {
    if (this._last !== null && !this._last.isDisposed) {
      return this._last;
    }
    this._last = [...this._app.shell.widgets('main')].find(isNotebook) ?? null;
    return this._last;
  }

  private async _create(): Promise<INotebookPanel> {
    const kernelName = this._app.serviceManager.kernelspecs.specs?.default;
    const made: unknown = await this._app.commands.execute('notebook:create-new', { kernelName });
    if (!isNotebook(made)) {
      throw new NotebookError(this._texts.__('No notebook is open, and none could be made.'));
    }
    await Promise.all([made.context.ready, made.sessionContext.ready]);
    this._last = made;
    return made;
  }

  private readonly _app: JupyterFrontEnd;
  private readonly _texts: ITexts;
  private _last: INotebookPanel | null = null;
}

function isNotebook(widget: unknown): widget is INotebookPanel {
  return (
    typeof widget === 'object' &&
    widget !== null &&
    'hasClass' in widget &&
    (widget as Widget).hasClass('jp-NotebookPanel') &&
    'content' in widget
  );
}

/** The JSON that an expression's value shows itself as. */
export function readAnswer(content: unknown, texts: ITexts): unknown {
  const reply = content as {
    status: string;
    evalue?: string;
    user_expressions?: Record<string, Record<string, unknown>>;
  };
  const answer = reply.user_expressions?.answer;
  if (reply.status === 'ok' && answer?.status === 'ok') {
    return (answer.data as Record<string, unknown>)['application/json'];
  }
  const reason = String(answer?.evalue ?? reply.evalue ?? texts.__('it did not answer'));
  throw new NotebookError(texts.__('The kernel cannot tell: %1', reason));
}
