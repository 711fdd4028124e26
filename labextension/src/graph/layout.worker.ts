/** Runs beside the page: takes a graph, sends back its layout. */

import type { ILayoutRequest } from './layouter';
import { arrangeNested } from './nesting';

self.onmessage = (event: MessageEvent<ILayoutRequest>) => {
  const { graph, options } = event.data;
  self.postMessage(arrangeNested(graph, options));
};
