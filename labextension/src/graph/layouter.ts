/** Layouts that take long, made in a worker so that the page goes on; in the page itself where it may have none. */

import type { ILayout, ILayoutOptions } from './layout';
import type { INestedGraph } from './nesting';
import { arrangeNested, levelsOf } from './nesting';

/** What a worker is sent. */
export interface ILayoutRequest {
  readonly graph: INestedGraph;
  readonly options: ILayoutOptions;
}

/** Makes layouts, one at a time. */
export interface ILayouter {
  /** Calls back with the layout, unless it was asked for another one or disposed in the meantime. */
  arrange(request: ILayoutRequest, done: (layout: ILayout) => void): void;
  dispose(): void;
}

const QUICK_COUNT = 2000;
const QUICK_FORCE_COUNT = 120;

/** Whether a layout takes less time than starting a worker for it. */
export function isQuick({ graph, options }: ILayoutRequest): boolean {
  const isForce = options.arrangement === 'force';
  const count = levelsOf(graph).reduce((sum, level) => sum + level.graph.structure.count, 0);
  return count <= (isForce ? QUICK_FORCE_COUNT : QUICK_COUNT);
}

/** One worker for each layout: ending it is the only way to stop a layout that nobody needs any more. */
export class WorkerLayouter implements ILayouter {
  constructor(createWorker: () => Worker) {
    this._createWorker = createWorker;
  }

  arrange(request: ILayoutRequest, done: (layout: ILayout) => void): void {
    this.dispose();
    const inPage = () => {
      this.dispose();
      this._timer = setTimeout(() => done(arrangeNested(request.graph, request.options)));
    };
    try {
      const worker = this._createWorker();
      worker.onmessage = (event: MessageEvent<ILayout>) => {
        this.dispose();
        done(event.data);
      };
      worker.onerror = event => {
        event.preventDefault();
        inPage();
      };
      worker.postMessage(request);
      this._worker = worker;
    } catch {
      inPage(); // The page's policy allows no workers.
    }
  }

  dispose(): void {
    clearTimeout(this._timer);
    this._worker?.terminate();
    this._worker = null;
  }

  private readonly _createWorker: () => Worker;
  private _worker: Worker | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
