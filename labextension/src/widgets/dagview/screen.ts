/**
 * The canvas element: its size, its colours, and when a frame is painted. Knows nothing of graphs.
 *
 * A frame is painted only when something changed; while something moves, 30 times a second, or once a second where
 * motion is unwanted.
 */

import type { ISize } from '../../graph/visible';
import type { IPalette } from './palette';
import { readPalette } from './palette';

/** What a frame is painted with. */
export interface IFrame {
  readonly context: CanvasRenderingContext2D;
  readonly palette: IPalette;
  readonly hasMotion: boolean;
  /** POSIX seconds. */
  readonly now: number;
}

const FRAME_MS = 33;
const CALM_FRAME_MS = 1000;

/** One canvas that fills a host. */
export class Screen {
  constructor(options: {
    host: HTMLElement;
    /** Paints; returns whether something moves. */
    paint: (frame: IFrame) => boolean;
    resized: (size: ISize) => void;
  }) {
    this._options = options;
    this.node = document.createElement('canvas');
    this.node.className = 'cvl-Graph-canvas';
    this.node.tabIndex = 0;
    options.host.append(this.node);
    this._observer = new ResizeObserver(() => this._resize());
    this._observer.observe(options.host);
    this._motion = window.matchMedia('(prefers-reduced-motion: reduce)');
  }

  readonly node: HTMLCanvasElement;

  /** The colours of the last frame; null before the first. */
  get palette(): IPalette | null {
    return this._palette;
  }

  /** Asks for a frame. */
  schedule(): void {
    if (this._frame === 0 && !this._isDisposed) {
      clearTimeout(this._timer);
      this._frame = requestAnimationFrame(() => {
        this._frame = 0;
        this.paint();
      });
    }
  }

  /** Paints at once. */
  paint(): void {
    const context = this.node.getContext('2d');
    if (context === null || this._palette === null) {
      return;
    }
    context.setTransform(this._ratio, 0, 0, this._ratio, 0, 0);
    const hasMotion = !this._motion.matches;
    const now = Date.now() / 1000;
    const moves = this._options.paint({ context, palette: this._palette, hasMotion, now });
    clearTimeout(this._timer);
    if (moves) {
      this._timer = setTimeout(() => this.schedule(), hasMotion ? FRAME_MS : CALM_FRAME_MS);
    }
  }

  /** Reads the colours again, after a change of theme. */
  refreshTheme(): void {
    this._palette = readPalette(this._options.host);
    this.schedule();
  }

  dispose(): void {
    this._isDisposed = true;
    cancelAnimationFrame(this._frame);
    clearTimeout(this._timer);
    this._observer.disconnect();
  }

  private _resize(): void {
    const { clientWidth: width, clientHeight: height } = this._options.host;
    const ratio = window.devicePixelRatio || 1;
    const isSame = width === this._size.width && height === this._size.height;
    if ((isSame && ratio === this._ratio) || width === 0 || height === 0) {
      return;
    }
    this._ratio = ratio;
    this._size = { width, height };
    this._palette = readPalette(this._options.host);
    this.node.width = Math.round(width * ratio);
    this.node.height = Math.round(height * ratio);
    this._options.resized(this._size);
    this.paint();
  }

  private readonly _options: {
    host: HTMLElement;
    paint: (frame: IFrame) => boolean;
    resized: (size: ISize) => void;
  };
  private readonly _observer: ResizeObserver;
  private readonly _motion: MediaQueryList;
  private _palette: IPalette | null = null;
  private _size: ISize = { width: 0, height: 0 };
  private _ratio = 1;
  private _frame = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
