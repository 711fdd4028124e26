/** React meets signals and clocks. */

import type { ISignal } from '@lumino/signaling';
import { useEffect, useLayoutEffect, useReducer } from 'react';

/** Renders again after a signal, at most once per frame. */
export function useSignal(signal: ISignal<unknown, unknown>): void {
  const [, render] = useReducer((count: number) => count + 1, 0);
  // Before anything else can happen: an effect may come frames after the drawing, and miss what changed meanwhile.
  useLayoutEffect(() => {
    let frame = 0;
    const onSignal = () => {
      if (frame === 0) {
        frame = requestAnimationFrame(() => {
          frame = 0;
          render();
        });
      }
    };
    signal.connect(onSignal);
    return () => {
      cancelAnimationFrame(frame);
      signal.disconnect(onSignal);
    };
  }, [signal]);
}

/** The time in POSIX seconds; renders again at an interval while `isTicking`. */
export function useNow(isTicking: boolean, intervalMs = 1000): number {
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (!isTicking) {
      return;
    }
    const timer = setInterval(render, intervalMs);
    return () => clearInterval(timer);
  }, [isTicking, intervalMs]);
  return Date.now() / 1000;
}
