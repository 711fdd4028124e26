/** What stands below the graph of a card: how the dispatch ended, or why the card is not live. Plain DOM. */

import type { Detail, Preview } from '../../contract';
import type { ITexts } from '../../graph/style';
import { RichView } from '../rich';

const TEXT_LIMIT = 2000;

/** One result, one error, or one remark. */
export class CardTail {
  constructor(options: { texts: ITexts; preview: (digest: string) => Promise<Preview> }) {
    this._texts = options.texts;
    this._preview = options.preview;
    this.node = document.createElement('div');
    this.node.className = 'cvl-Card-tail';
    this.node.setAttribute('role', 'status');
    this.node.hidden = true;
  }

  readonly node: HTMLElement;

  /** Shows how a dispatch ended; nothing while it runs. */
  showEnd(detail: Detail): void {
    const { result, error } = detail;
    if (error !== null && error !== '') {
      this._show('cvl-tone-failed', this._texts.__('Error'), error.split('\n', 1)[0]);
    } else if (result !== null) {
      const isNew = this._show('', this._texts.__('Result'), result.text);
      if (isNew && result.rich.length > 0) {
        void this._showRich(result.digest);
      }
    } else {
      this.clear();
    }
  }

  /** Shows a remark in place of the rest. */
  showRemark(text: string): void {
    this._show('cvl-mod-remark', '', text);
  }

  dispose(): void {
    this.clear();
    this.node.remove();
  }

  clear(): void {
    this._rich?.dispose();
    this._rich = null;
    this._shown = '';
    this.node.hidden = true;
    this.node.replaceChildren();
  }

  /** Says whether something else was shown before. */
  private _show(modifier: string, label: string, text: string): boolean {
    const shown = `${modifier} ${label} ${text}`;
    if (shown === this._shown) {
      return false;
    }
    this.clear();
    this._shown = shown;
    this.node.className = `cvl-Card-tail ${modifier}`.trim();
    if (label !== '') {
      const title = document.createElement('span');
      title.className = 'cvl-Card-label';
      title.textContent = label;
      this.node.append(title);
    }
    const body = document.createElement(label === '' ? 'span' : 'code');
    body.className = 'cvl-Card-text';
    body.textContent = text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT)}…` : text;
    this.node.append(body);
    this.node.hidden = false;
    return true;
  }

  /** Puts the best preview in the place of the text, if the page can show one. */
  private async _showRich(digest: string): Promise<void> {
    const shown = this._shown;
    try {
      const { rich } = await this._preview(digest);
      const text = this.node.querySelector('.cvl-Card-text');
      if (shown !== this._shown || text === null) {
        return;
      }
      const view = new RichView({ label: this._texts.__('Result') });
      text.after(view.node);
      if (view.show(rich)) {
        this._rich = view;
        text.remove();
      } else {
        view.dispose();
      }
    } catch (reason) {
      console.warn('covalent-lab: the preview of a result could not be read', reason);
    }
  }

  private readonly _texts: ITexts;
  private readonly _preview: (digest: string) => Promise<Preview>;
  private _rich: RichView | null = null;
  private _shown = '';
}
