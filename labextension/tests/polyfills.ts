/** What jsdom lacks and JupyterLab packages need to load. */

class DragEventStub extends Event {}

class ResizeObserverStub {
  observe(): void {
    /* sizes never change in jsdom */
  }
  unobserve(): void {
    /* see observe */
  }
  disconnect(): void {
    /* see observe */
  }
}

Object.assign(globalThis, {
  DragEvent: DragEventStub,
  ResizeObserver: ResizeObserverStub
});

if (typeof window !== 'undefined' && window.matchMedia === undefined) {
  window.matchMedia = (query: string) =>
    ({
      matches: false,
      media: query,
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
      addListener: () => undefined,
      removeListener: () => undefined
    }) as unknown as MediaQueryList;
}

// jsdom has no idle periods; JupyterLab draws React in them.
globalThis.requestIdleCallback ??= callback =>
  setTimeout(
    () => callback({ didTimeout: false, timeRemaining: () => 50 }),
    0
  ) as unknown as number;
globalThis.cancelIdleCallback ??= handle => clearTimeout(handle);

// jsdom has no canvas, and says so at length each time it is asked for one.
if (typeof HTMLCanvasElement !== 'undefined') {
  HTMLCanvasElement.prototype.getContext = () => null;
}
