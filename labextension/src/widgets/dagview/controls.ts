/** The buttons over a graph. Plain DOM, shared by all places that show one. */

import type { Arrangement, Orientation } from '../../graph/layout';
import { ARRANGEMENTS, ORIENTATIONS } from '../../graph/layout';
import type { ITexts } from '../../graph/style';
import type { GraphCanvas, IGraphView } from './canvas';
import type { FindBar } from './findbar';
import type { IconName } from './icons';
import { iconButton, setIcon } from './icons';
import { hasMoves } from './view';

/** A further button, e.g. to switch to the list. */
export interface IExtraButton {
  icon: IconName;
  label: string;
  onClick: () => void;
}

/** What the buttons are made with. */
export interface IControlsOptions {
  graph: GraphCanvas;
  texts: ITexts;
  /** The name of saved pictures, without an ending. */
  fileName: () => string;
  /** The fields that the button for the search opens; without them there is none. */
  findBar?: FindBar;
  /** Come last. */
  extra?: readonly IExtraButton[];
  /** Only the buttons that matter in a notebook's output. */
  isCompact?: boolean;
}

/** Switches of the view, by their keys. */
type Switch = {
  [K in keyof IGraphView]-?: IGraphView[K] extends boolean ? K : never;
}[keyof IGraphView];

/** Buttons for one canvas. */
export class GraphControls {
  constructor(options: IControlsOptions) {
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
    if (options.isCompact !== true) {
      this._arrangement = this._addArrangement();
    }
    this._orientation = this._button('down', '', () =>
      graph.setView({ orientation: this._next() })
    );
    this._toggle('parameters', 'showParameters', texts.__('Show parameters'));
    this._toggle('postprocess', 'showPostprocess', texts.__('Show postprocess node'));
    this._toggle('labels', 'showEdgeLabels', texts.__('Show edge labels (when zoomed in)'));
    if (options.isCompact !== true) {
      this._toggle('pretty', 'isPretty', texts.__('Names in words'));
      this._toggle('stack', 'hasStacks', texts.__('Stack equal nodes'));
      this._toggle('lock', 'isLocked', texts.__('Lock nodes; unlocked, they can be dragged'));
      this._putBack = this._button('putBack', texts.__('Put moved nodes back'), () =>
        graph.putBack()
      );
      this._toggle('minimap', 'showMinimap', texts.__('Show minimap'));
      this._separator();
      const { findBar } = options;
      if (findBar !== undefined) {
        this._button('find', texts.__('Find nodes (/)'), () => findBar.toggle());
      }
      this._button('picture', texts.__('Save as PNG image'), () =>
        this._savePng(options.fileName())
      );
      this._button('vector', texts.__('Save as SVG image'), () =>
        this._saveSvg(options.fileName())
      );
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
    setIcon(this._orientation, view.orientation);
    const words = orientationWords(this._texts);
    const label = this._texts.__(
      'Flows %1; click to flow %2',
      words[view.orientation],
      words[this._next()]
    );
    this._orientation.title = label;
    this._orientation.setAttribute('aria-label', label);
    const { arrangement = 'layered' } = view;
    this._orientation.disabled = arrangement !== 'layered' && arrangement !== 'tree';
    if (this._arrangement !== null) {
      this._arrangement.value = arrangement;
    }
    if (this._putBack !== null) {
      this._putBack.disabled = !hasMoves(view);
    }
    this.node.setAttribute('aria-busy', String(this._graph.isBusy));
  }

  private _next(): Orientation {
    const at = ORIENTATIONS.indexOf(this._graph.view.orientation);
    return ORIENTATIONS[(at + 1) % ORIENTATIONS.length];
  }

  private _addArrangement(): HTMLSelectElement {
    const select = document.createElement('select');
    const label = this._texts.__('Layout');
    select.title = label;
    select.setAttribute('aria-label', label);
    const words = arrangementWords(this._texts);
    select.append(...ARRANGEMENTS.map(name => new Option(words[name], name)));
    select.addEventListener('change', () => {
      this._graph.setView({ arrangement: select.value as Arrangement });
      this.update();
    });
    this.node.append(select);
    return select;
  }

  private _toggle(icon: IconName, key: Switch, label: string): void {
    const button = this._button(icon, label, () =>
      this._graph.setView({ [key]: !this._graph.view[key] })
    );
    this._toggles.set(key, button);
  }

  private _button(icon: IconName, label: string, onClick: () => void): HTMLButtonElement {
    const button = iconButton(icon, label, () => {
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

  private async _savePng(name: string): Promise<void> {
    const blob = await this._graph.toBlob();
    if (blob !== null) {
      saveBlob(blob, `${name}.png`);
    }
  }

  private _saveSvg(name: string): void {
    const text = this._graph.toSvg();
    if (text !== null) {
      saveBlob(new Blob([text], { type: 'image/svg+xml' }), `${name}.svg`);
    }
  }

  private readonly _graph: GraphCanvas;
  private readonly _texts: ITexts;
  private readonly _orientation: HTMLButtonElement;
  private readonly _arrangement: HTMLSelectElement | null = null;
  private readonly _putBack: HTMLButtonElement | null = null;
  private readonly _toggles = new Map<Switch, HTMLButtonElement>();
}

/** Offers data as a file of the browser's downloads. */
export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function orientationWords(texts: ITexts): Readonly<Record<Orientation, string>> {
  return {
    down: texts.__('down'),
    up: texts.__('up'),
    right: texts.__('right'),
    left: texts.__('left')
  };
}

function arrangementWords(texts: ITexts): Readonly<Record<Arrangement, string>> {
  return {
    layered: texts.__('Layers'),
    tree: texts.__('Tree'),
    force: texts.__('Forces'),
    rectangles: texts.__('Rectangles'),
    boxes: texts.__('Boxes')
  };
}
