/** Workers for layouts. A module of its own: the notebook widget is one file, which can start none. */

import type { ILayouter } from '../../graph/layouter';
import { WorkerLayouter } from '../../graph/layouter';

/** Makes layouts of large graphs beside the page. */
export function createLayouter(): ILayouter {
  return new WorkerLayouter(
    () => new Worker(new URL('../../graph/layout.worker.js', import.meta.url), { type: 'module' })
  );
}
