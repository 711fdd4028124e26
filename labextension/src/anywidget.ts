/**
 * The live graph as an anywidget: everything it shows is pushed from Python, no server is asked.
 *
 * Where a page has no JupyterLab theme, a palette of its own takes the place of the theme's variables.
 */

import styles from '../style/graph.css';
import type { GraphWire, NodeColumns } from './contract';
import { isGraphWire } from './contract';
import type { IGraphStructure } from './graph/structure';
import { statesFromColumns } from './graph/states';
import { textsOfPage } from './texts';
import { EmbeddedGraph } from './widgets/dagview/embed';
import { applyFallbackTheme } from './widgets/dagview/fallback';

/** Traits that Python keeps in step, see `covalent_lab.notebook`. */
interface ITraits {
  graph: GraphWire;
  name: string;
  dispatch_id: string;
  nodes: Partial<NodeColumns>;
  status: string;
  completed: number;
  total: number;
  height: number;
}

/** The part of anywidget's model that is used. */
interface IModel {
  get<K extends keyof ITraits>(name: K): ITraits[K];
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
}

const STYLE_ID = 'covalent-lab-widget-style';
const DEFAULT_HEIGHT = 360;

function render({ model, el }: { model: IModel; el: HTMLElement }): () => void {
  addStyles();
  el.classList.add('cvl-Widget');
  applyFallbackTheme(el);
  const dispatchId = model.get('dispatch_id') || null;
  const embed = new EmbeddedGraph({
    host: el,
    texts: textsOfPage(),
    height: model.get('height') || DEFAULT_HEIGHT,
    dispatchId
  });
  let structure: IGraphStructure | null = null;

  const showStates = () => {
    if (structure !== null) {
      embed.setStates(statesFromColumns(structure, model.get('nodes') ?? null));
    }
  };
  const showGraph = () => {
    const graph = model.get('graph');
    if (isGraphWire(graph)) {
      structure = embed.setGraph(graph, isDispatched());
      showStates();
    }
  };
  const isDispatched = () =>
    (model.get('dispatch_id') ?? '') !== '' || (model.get('status') ?? '') !== '';
  const showHead = () => {
    const id = model.get('dispatch_id') || null;
    embed.graph.isLive = isDispatched();
    embed.setOpenable(id !== null && hasExtension() ? id : null);
    embed.setHead({
      name: model.get('name') ?? '',
      status: model.get('status') || null,
      completed: model.get('completed') ?? 0,
      total: model.get('total') ?? 0,
      runtime: null
    });
  };
  const showHeight = () => embed.setHeight(model.get('height') || DEFAULT_HEIGHT);
  const refreshTheme = () => {
    applyFallbackTheme(el);
    requestAnimationFrame(() => embed.graph.refreshTheme());
  };

  const listeners: [string, () => void][] = [
    ['change:graph', showGraph],
    ['change:nodes', showStates],
    ['change:name', showHead],
    ['change:status', showHead],
    ['change:completed', showHead],
    ['change:total', showHead],
    ['change:dispatch_id', showHead],
    ['change:height', showHeight]
  ];
  listeners.forEach(([event, callback]) => model.on(event, callback));
  const observer = new MutationObserver(refreshTheme);
  observer.observe(document.body, {
    attributeFilter: ['class', 'data-jp-theme-name', 'data-vscode-theme-kind']
  });
  const scheme = window.matchMedia('(prefers-color-scheme: dark)');
  scheme.addEventListener('change', refreshTheme);
  showGraph();
  showHead();
  refreshTheme();
  return () => {
    listeners.forEach(([event, callback]) => model.off(event, callback));
    observer.disconnect();
    scheme.removeEventListener('change', refreshTheme);
    embed.dispose();
  };
}

/** In JupyterLab the extension listens for requests to open a dispatch. */
function hasExtension(): boolean {
  return document.querySelector('#covalent-lab-dispatches') !== null;
}

function addStyles(): void {
  if (document.getElementById(STYLE_ID) === null) {
    const style = document.createElement('style');
    style.id = STYLE_ID;
    style.textContent = styles;
    document.head.append(style);
  }
}

export default { render };
