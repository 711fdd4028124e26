/**
 * The best preview of a value: a plot that the page can draw, else an image, else HTML, else text with markup.
 *
 * Foreign markup stays in an image or in a frame that runs nothing. Plain DOM.
 */

import type { IDisposable } from '@lumino/disposable';

import { requestRender } from '../../contract/open';

const SVG = 'image/svg+xml';
const HTML = 'text/html';
const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const MARKUP = ['text/markdown', 'text/latex'];

/** One preview. */
export class RichView implements IDisposable {
  constructor(options: { label: string }) {
    this._label = options.label;
    this.node = document.createElement('div');
    this.node.className = 'cvl-Rich';
  }

  readonly node: HTMLElement;

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Shows the best form, in a node that is in the page; says whether there was one. */
  show(forms: Readonly<Record<string, string>>): boolean {
    this._clear();
    const image = IMAGES.find(type => type in forms);
    const others = Object.keys(forms).filter(type => type.endsWith('+json'));
    if (others.some(type => this._draw(type, parsed(forms[type])))) {
      return true;
    }
    if (SVG in forms) {
      this._showImage(`data:${SVG};charset=utf-8,${encodeURIComponent(forms[SVG])}`);
    } else if (image !== undefined) {
      this._showImage(`data:${image};base64,${forms[image]}`);
    } else if (HTML in forms) {
      this._showPage(forms[HTML]);
    } else {
      return MARKUP.some(type => type in forms && this._draw(type, forms[type]));
    }
    return true;
  }

  dispose(): void {
    this._isDisposed = true;
    this._clear();
    this.node.remove();
  }

  private _draw(type: string, data: unknown): boolean {
    const host = document.createElement('div');
    host.className = 'cvl-Rich-drawn';
    this.node.append(host);
    this._drawn = data === undefined ? null : requestRender(host, type, data);
    if (this._drawn === null) {
      host.remove();
    }
    return this._drawn !== null;
  }

  private _showImage(source: string): void {
    const image = document.createElement('img');
    image.className = 'cvl-Rich-image';
    image.src = source;
    image.alt = this._label;
    this.node.append(image);
  }

  /** A page in the colours of the theme, made anew when the theme changes. */
  private _showPage(html: string): void {
    const frame = document.createElement('iframe');
    frame.className = 'cvl-Rich-page';
    frame.setAttribute('sandbox', '');
    frame.title = this._label;
    const fill = () => (frame.srcdoc = pageStyle() + html);
    fill();
    this._themes = new MutationObserver(() => requestAnimationFrame(fill));
    this._themes.observe(document.body, { attributeFilter: ['data-jp-theme-name'] });
    this.node.append(frame);
  }

  private _clear(): void {
    this._themes?.disconnect();
    this._drawn?.dispose();
    this._themes = this._drawn = null;
    this.node.replaceChildren();
  }

  private readonly _label: string;
  private _drawn: IDisposable | null = null;
  private _themes: MutationObserver | null = null;
  private _isDisposed = false;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Variables of the theme do not reach into a frame. */
function pageStyle(): string {
  const style = getComputedStyle(document.body);
  const colour = (name: string, fallback: string) =>
    style.getPropertyValue(name).trim() || fallback;
  const text = colour('--jp-content-font-color1', '#111');
  const ground = colour('--jp-layout-color0', '#fff');
  const line = colour('--jp-border-color2', '#ddd');
  return (
    `<style>body{font:13px system-ui,sans-serif;margin:8px;color:${text};background:${ground}}` +
    'table{border-collapse:collapse;border:none}' +
    `td,th{padding:3px 8px;border:none;border-bottom:1px solid ${line};text-align:right}</style>`
  );
}
