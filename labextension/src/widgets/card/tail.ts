/** What stands below the graph of a card: how the dispatch ended, or why the card is not live. Plain DOM. */

import type { Detail, Preview } from '../../contract';
import type { ITexts } from '../../graph/style';

const IMAGE = 'image/png';
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
      this._show('', this._texts.__('Result'), result.text);
      if (result.rich.includes(IMAGE)) {
        void this._showImage(result.digest);
      }
    } else {
      this.clear();
    }
  }

  /** Shows a remark in place of the rest. */
  showRemark(text: string): void {
    this._show('cvl-mod-remark', '', text);
  }

  clear(): void {
    this._shown = '';
    this.node.hidden = true;
    this.node.replaceChildren();
  }

  private _show(modifier: string, label: string, text: string): void {
    const shown = `${modifier} ${label} ${text}`;
    if (shown === this._shown) {
      return;
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
  }

  private async _showImage(digest: string): Promise<void> {
    const shown = this._shown;
    try {
      const data = (await this._preview(digest)).rich[IMAGE];
      if (data !== undefined && shown === this._shown) {
        const image = document.createElement('img');
        image.className = 'cvl-Card-image';
        image.src = `data:${IMAGE};base64,${data}`;
        image.alt = this._texts.__('Result');
        this.node.querySelector('.cvl-Card-text')?.replaceWith(image);
      }
    } catch (reason) {
      console.warn('covalent-lab: the picture of a result could not be read', reason);
    }
  }

  private readonly _texts: ITexts;
  private readonly _preview: (digest: string) => Promise<Preview>;
  private _shown = '';
}
