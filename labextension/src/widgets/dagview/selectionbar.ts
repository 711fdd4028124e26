/** What is selected, below the graph, with what can be done with it: unfold or open a sublattice, copy its id, open a stack. */

import { statusName } from '../../graph/states';
import type { ITexts } from '../../graph/style';
import { statusWord } from '../../graph/style';
import type { GraphCanvas } from './canvas';

/** Shown while a sublattice or a stack is selected. */
export class SelectionBar {
  constructor(options: {
    graph: GraphCanvas;
    texts: ITexts;
    onOpen: (dispatchId: string) => void;
  }) {
    const { graph, texts } = options;
    this._graph = graph;
    this._texts = texts;
    this.node = document.createElement('div');
    this.node.className = 'cvl-Selection';
    this.node.setAttribute('role', 'toolbar');
    this.node.setAttribute('aria-label', texts.__('Selected node'));
    this._text = document.createElement('span');
    this.node.append(this._text);
    this._openStack = this._button(texts.__('Show its nodes'), () => graph.openStack());
    this._fold = this._button('', () => graph.toggleFold());
    this._open = this._button(texts.__('Open sublattice'), () => options.onOpen(this._part));
    this._copy = this._button(
      texts.__('Copy dispatch id'),
      () => void navigator.clipboard.writeText(this._part)
    );
    this.update();
  }

  readonly node: HTMLDivElement;

  /** Shows what is selected now. */
  update(): void {
    const selected = this._graph.selected;
    const isStack = selected !== null && selected.nodes.length > 1;
    this._part = selected?.part ?? '';
    this.node.hidden = !isStack && this._part === '';
    this._openStack.hidden = !isStack;
    this._open.hidden = this._copy.hidden = this._part === '';
    const isUnfolded = selected?.isUnfolded ?? null;
    this._fold.hidden = isUnfolded === null;
    this._fold.textContent =
      isUnfolded === true ? this._texts.__('Fold (U)') : this._texts.__('Unfold here (U)');
    const counts = [...(selected?.counts ?? [])].map(
      ([code, count]) => `${count} ${statusWord(statusName(code), this._texts)}`
    );
    this._text.textContent = [selected?.label ?? '', ...counts].join(' · ');
  }

  private _button(label: string, onClick: () => void): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'cvl-Button';
    button.textContent = label;
    button.addEventListener('click', onClick);
    this.node.append(button);
    return button;
  }

  private readonly _graph: GraphCanvas;
  private readonly _texts: ITexts;
  private readonly _text: HTMLElement;
  private readonly _openStack: HTMLButtonElement;
  private readonly _fold: HTMLButtonElement;
  private readonly _open: HTMLButtonElement;
  private readonly _copy: HTMLButtonElement;
  private _part = '';
}
