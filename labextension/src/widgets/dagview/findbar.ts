/** The search over a graph: by name, status and executor. Found nodes stay as they are, the others step back. */

import type { INodeQuery } from '../../graph/find';
import { EVERYTHING } from '../../graph/find';
import { NODE_STATUSES } from '../../contract';
import type { ITexts } from '../../graph/style';
import { statusWord } from '../../graph/style';
import type { GraphCanvas } from './canvas';

/** Fields for one canvas; hidden until asked for. */
export class FindBar {
  constructor(options: { graph: GraphCanvas; texts: ITexts; hasStates: boolean }) {
    const { graph, texts } = options;
    this._graph = graph;
    this._texts = texts;
    this.node = document.createElement('div');
    this.node.className = 'cvl-Find';
    this.node.hidden = true;
    this.node.setAttribute('role', 'search');
    this.node.setAttribute('aria-label', texts.__('Find nodes'));
    this._text = document.createElement('input');
    this._text.type = 'search';
    this._text.placeholder = texts.__('Name or id');
    this._text.setAttribute('aria-label', texts.__('Find nodes by name or id'));
    this._status = this._select(texts.__('Status'), texts.__('Any status'));
    for (const status of options.hasStates ? NODE_STATUSES : []) {
      this._status.append(new Option(statusWord(status, texts), status));
    }
    this._status.hidden = !options.hasStates;
    this._executor = this._select(texts.__('Executor'), texts.__('Any executor'));
    this._count = document.createElement('span');
    this._count.className = 'cvl-Find-count';
    this._count.setAttribute('role', 'status');
    this.node.append(this._text, this._status, this._executor, this._count);
    this._button('↑', texts.__('Previous found node'), () => graph.findNext(-1));
    this._button('↓', texts.__('Next found node'), () => graph.findNext(1));
    this._button('×', texts.__('End the search'), () => this.toggle(false));
    this.node.addEventListener('input', () => this._search());
    this.node.addEventListener('keydown', event => this._key(event));
  }

  readonly node: HTMLDivElement;

  get isOpen(): boolean {
    return !this.node.hidden;
  }

  /** Offers the executors of a graph; one alone is no choice. */
  setExecutors(names: readonly string[]): void {
    const [any] = this._executor.options;
    this._executor.replaceChildren(any, ...names.map(name => new Option(name, name)));
    this._executor.hidden = names.length < 2;
  }

  /** Opens the fields with the cursor in the text, or closes them and shows all nodes alike. */
  toggle(isOpen = !this.isOpen): void {
    this.node.hidden = !isOpen;
    if (isOpen) {
      this._text.focus();
      this._text.select();
      this._search();
    } else {
      this._graph.find(EVERYTHING);
      this._graph.focus();
    }
  }

  /** Shows how many nodes are found now: statuses change. */
  update(): void {
    const count = this._graph.foundCount;
    this._count.textContent = count === null ? '' : this._texts.__('%1 found', count);
  }

  private _search(): void {
    const query: INodeQuery = {
      text: this._text.value,
      status: this._status.value,
      executor: this._executor.value
    };
    this._graph.find(query);
  }

  private _key(event: KeyboardEvent): void {
    if (event.key === 'Escape') {
      this.toggle(false);
    } else if (event.key === 'Enter' && event.target === this._text) {
      this._graph.findNext(event.shiftKey ? -1 : 1);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private _select(label: string, any: string): HTMLSelectElement {
    const select = document.createElement('select');
    select.setAttribute('aria-label', label);
    select.append(new Option(any, ''));
    return select;
  }

  private _button(sign: string, label: string, onClick: () => void): void {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'cvl-Controls-button';
    button.textContent = sign;
    button.title = label;
    button.setAttribute('aria-label', label);
    button.addEventListener('click', onClick);
    this.node.append(button);
  }

  private readonly _graph: GraphCanvas;
  private readonly _texts: ITexts;
  private readonly _text: HTMLInputElement;
  private readonly _status: HTMLSelectElement;
  private readonly _executor: HTMLSelectElement;
  private readonly _count: HTMLElement;
}
