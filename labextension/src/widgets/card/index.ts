/**
 * A dispatch below the cell that made it: graph, states, progress, a button that cancels, and how it ended.
 *
 * It begins with what was saved in the notebook. From then on the server tells how the dispatch stands, so that closed
 * pages and restarted kernels do no harm; where the server does not know it, what was saved stays.
 */

import type { IDisposable } from '@lumino/disposable';

import type { ILatticeBundle } from '../../contract';
import { isTerminal } from '../../contract';
import { COMPLETED, statesFromColumns } from '../../graph/states';
import type { ITexts } from '../../graph/style';
import { elapsed } from '../../graph/style';
import type { DispatchModel } from '../../model';
import { messageOf } from '../../model';
import { EmbeddedGraph } from '../dagview/embed';
import { CardTail } from './tail';

/** What a card is made of. */
export interface ICardOptions {
  host: HTMLElement;
  /** What was saved in the notebook. */
  saved: ILatticeBundle;
  /** The dispatch; null for a graph that was only drawn. The card disposes it. */
  model: DispatchModel | null;
  texts: ITexts;
  height: number;
}

/** One output. */
export class DispatchCard implements IDisposable {
  constructor(options: ICardOptions) {
    const { host, model, saved, texts } = options;
    this._model = model;
    this._texts = texts;
    this._embed = new EmbeddedGraph({
      host,
      texts,
      height: options.height,
      isFitted: true,
      dispatchId: model?.dispatchId ?? null
    });
    this._showSaved(saved);
    this._isDelivered = saved.is_delivered === true;
    this._tail = new CardTail({
      texts,
      preview: digest => (model as DispatchModel).preview(digest)
    });
    this._cancelButton = document.createElement('button');
    this._cancelButton.type = 'button';
    this._cancelButton.className = 'cvl-Button cvl-mod-danger cvl-Card-cancel';
    this._cancelButton.textContent = texts.__('Cancel');
    this._cancelButton.title = texts.__('Stop this dispatch');
    this._cancelButton.hidden = true;
    this._cancelButton.addEventListener('click', () => void this._cancel());
    if (model !== null) {
      this._embed.node.querySelector('.cvl-Embed-head')?.append(this._cancelButton);
      this._embed.node.append(this._tail.node);
      model.changed.connect(this._update, this);
      void model.load();
    } else {
      this._embed.setPreview(saved);
    }
  }

  get dispatchId(): string | null {
    return this._model?.dispatchId ?? null;
  }

  /** Whether the server tells how the dispatch stands. */
  get isLive(): boolean {
    return this._isLive;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Says whether the notebook shows below the card what came of the dispatch, which the card then leaves away. */
  setDelivered(isDelivered: boolean): void {
    if (isDelivered !== this._isDelivered) {
      this._isDelivered = isDelivered;
      if (this._model !== null) {
        this._update(this._model);
      }
    }
  }

  /** Takes the colours of a new theme. */
  refreshTheme(): void {
    this._embed.graph.refreshTheme();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._model?.changed.disconnect(this._update, this);
    this._model?.dispose();
    this._tail.dispose();
    this._embed.dispose();
  }

  private _showSaved(saved: ILatticeBundle): void {
    const isDispatched = this._model !== null && saved.nodes !== undefined;
    const structure = this._embed.setGraph(saved.graph, isDispatched);
    const states = statesFromColumns(structure, saved.nodes ?? null);
    this._embed.setStates(states);
    const done = states.status.reduce((sum, code) => sum + (code === COMPLETED ? 1 : 0), 0);
    this._embed.setHead({
      name: saved.name,
      status: null,
      completed: done - structure.parameterCount,
      total: structure.count - structure.parameterCount,
      runtime: null
    });
  }

  private _update(model: DispatchModel): void {
    const { detail, nodes } = model;
    if (model.isDeleted) {
      this._leave(this._texts.__('This dispatch was deleted.'));
      return;
    }
    if (model.error !== '') {
      this._leave(this._texts.__('Shown as it was saved: %1', model.error.replace(/\.?$/, '.')));
      return;
    }
    if (detail === null || nodes === null) {
      return;
    }
    this._isLive = true;
    this._embed.graph.isLive = true;
    this._embed.setOpenable(model.dispatchId);
    this._embed.setStates(nodes);
    this._embed.setHead({
      name: detail.name,
      status: detail.status,
      completed: detail.completed,
      total: detail.total,
      runtime: elapsed(detail.started_at, detail.ended_at, Date.now() / 1000)
    });
    const isOver = isTerminal(detail.status);
    this._cancelButton.hidden = isOver;
    if (isOver && this._isDelivered && detail.status === 'COMPLETED') {
      this._tail.clear();
    } else if (isOver) {
      this._tail.showEnd(detail);
    } else if (!this._cancelButton.disabled) {
      this._tail.clear();
    }
  }

  /** The server cannot tell (any more) how the dispatch stands. */
  private _leave(remark: string): void {
    this._isLive = false;
    this._embed.setOpenable(null);
    this._cancelButton.hidden = true;
    this._tail.showRemark(remark);
  }

  private async _cancel(): Promise<void> {
    this._cancelButton.disabled = true;
    this._tail.showRemark(this._texts.__('Cancelling…'));
    try {
      await this._model?.cancel();
    } catch (reason) {
      this._cancelButton.disabled = false;
      this._tail.showRemark(messageOf(reason));
    }
  }

  private readonly _embed: EmbeddedGraph;
  private readonly _model: DispatchModel | null;
  private readonly _tail: CardTail;
  private readonly _cancelButton: HTMLButtonElement;
  private readonly _texts: ITexts;
  private _isDelivered = false;
  private _isLive = false;
  private _isDisposed = false;
}
