/** Runs beside the page: takes a graph, sends back its layout. */

import { arrangeGraph } from './arrange';
import type { ILayoutRequest } from './layouter';

self.onmessage = (event: MessageEvent<ILayoutRequest>) => {
  const { structure, options } = event.data;
  self.postMessage(arrangeGraph(structure, options));
};
