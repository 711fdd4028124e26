/** The buttons over a graph. Plain DOM, shared by all places that show one. */

import type { ITexts } from '../../graph/style';
import type { GraphCanvas, IGraphView } from './canvas';

/** A further button, e.g. to switch to the list. */
export interface IExtraButton {
  icon: keyof typeof ICONS;
  label: string;
  onClick: () => void;
}

const ICONS = {
  zoomIn: 'M8 3v10M3 8h10',
  zoomOut: 'M3 8h10',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  down: 'M8 2.5v11M3.8 9.3 8 13.5l4.2-4.2',
  right: 'M2.5 8h11M9.3 3.8 13.5 8l-4.2 4.2',
  parameters: 'M5.2 4.5h5.6a3.5 3.5 0 0 1 0 7H5.2a3.5 3.5 0 0 1 0-7ZM5.5 8h5',
  postprocess: 'M3 13.5v-11M3.3 3h8.5l-2 3 2 3H3.3',
  labels: 'M2.5 4.5h5.8L13 8l-4.7 3.5H2.5zM5 8h.01',
  minimap: 'M2.5 3h11v10h-11zM8.5 8.2h3.3v2.9H8.5z',
  picture: 'M2.5 4.8h2.3l1-1.6h4.4l1 1.6h2.3v8H2.5zM8 6.5a2 2 0 1 0 0 4.1 2 2 0 0 0 0-4.1',
  list: 'M5.5 4h8M5.5 8h8M5.5 12h8M2.6 4h.01M2.6 8h.01M2.6 12h.01',
  open: 'M6.5 3h-3v9.5H13v-3M9 3h4v4M13 3 7.5 8.5'
} as const;

const SVG = 'http://www.w3.org/2000/svg';

/** Buttons for one canvas; `extra` come last. */
export class GraphControls {
  constructor(options: {
    graph: GraphCanvas;
    texts: ITexts;
    fileName: () => string;
    extra?: readonly IExtraButton[];
    isCompact?: boolean;
  }) {
    const { graph, texts } = options;
    this._graph = graph;
    this._texts = texts;
    this.node = document.createElement('div');
    this.node.className = 'cvl-Controls';
    this.node.setAttribute('role', 'toolbar');
    this.node.setAttribute('aria-label', texts.__('Graph controls'));
    this._button('zoomIn', texts.__('Zoom in (+)'), () => graph.zoomBy(1.25));
    this._button('zoomOut', texts.__('Zoom out (-)'), () => graph.zoomBy(0.8));
    this._button('fit', texts.__('Fit to view (0)'), () => graph.fit());
    this._separator();
    this._orientation = this._button('down', '', () =>
      graph.setView({ orientation: graph.view.orientation === 'down' ? 'right' : 'down' })
    );
    this._toggle('parameters', 'showParameters', texts.__('Show parameters'));
    this._toggle('postprocess', 'showPostprocess', texts.__('Show postprocess node'));
    this._toggle('labels', 'showEdgeLabels', texts.__('Show edge labels (when zoomed in)'));
    if (options.isCompact !== true) {
      this._toggle('minimap', 'showMinimap', texts.__('Show minimap'));
      this._separator();
      this._button('picture', texts.__('Save as image'), () => void this._save(options.fileName()));
    }
    for (const extra of options.extra ?? []) {
      this._button(extra.icon, extra.label, extra.onClick);
    }
    this.update();
  }

  readonly node: HTMLDivElement;

  /** Shows what is switched on. */
  update(): void {
    const { view } = this._graph;
    for (const [key, button] of this._toggles) {
      const isOn = view[key] === true;
      button.classList.toggle('cvl-mod-on', isOn);
      button.setAttribute('aria-pressed', String(isOn));
    }
    const isDown = view.orientation === 'down';
    setIcon(this._orientation, isDown ? 'down' : 'right');
    const label = isDown
      ? this._texts.__('Flows down; click to flow right')
      : this._texts.__('Flows right; click to flow down');
    this._orientation.title = label;
    this._orientation.setAttribute('aria-label', label);
  }

  private _toggle(icon: keyof typeof ICONS, key: keyof IGraphView, label: string): void {
    const button = this._button(icon, label, () =>
      this._graph.setView({ [key]: this._graph.view[key] !== true })
    );
    this._toggles.set(key, button);
  }

  private _button(icon: keyof typeof ICONS, label: string, onClick: () => void): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'cvl-Controls-button';
    button.title = label;
    button.setAttribute('aria-label', label);
    setIcon(button, icon);
    button.addEventListener('click', () => {
      onClick();
      this.update();
    });
    this.node.append(button);
    return button;
  }

  private _separator(): void {
    const line = document.createElement('span');
    line.className = 'cvl-Controls-separator';
    this.node.append(line);
  }

  private async _save(name: string): Promise<void> {
    const blob = await this._graph.toBlob();
    if (blob !== null) {
      saveBlob(blob, `${name}.png`);
    }
  }

  private readonly _graph: GraphCanvas;
  private readonly _texts: ITexts;
  private readonly _orientation: HTMLButtonElement;
  private readonly _toggles = new Map<keyof IGraphView, HTMLButtonElement>();
}

/** Offers data as a file of the browser's downloads. */
export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function setIcon(button: HTMLButtonElement, icon: keyof typeof ICONS): void {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[icon]);
  svg.append(path);
  button.replaceChildren(svg);
}
