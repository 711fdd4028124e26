/** Pointer, wheel, pinch and keys on the canvas, turned into intentions. Knows no graph. */

/** A place in CSS pixels from the upper left corner of the canvas. */
export interface IPoint {
  x: number;
  y: number;
}

/** What the user wants. */
export interface IGraphIntentions {
  wheelNeedsModifier: boolean;
  pan(dx: number, dy: number): void;
  zoom(factor: number, at: IPoint): void;
  zoomStep(direction: 1 | -1): void;
  fit(): void;
  /** The pointer goes down on a node that may be moved; false if there is none. */
  grab(at: IPoint): boolean;
  /** Moves the node that was grabbed. */
  drag(dx: number, dy: number): void;
  /** The node that was moved is let go. */
  drop(): void;
  /** Shift and an arrow: moves the selected node; false if it may not be moved. */
  nudge(dx: number, dy: number): boolean;
  hover(at: IPoint | null): void;
  click(at: IPoint): void;
  /** A context menu is about to open here; asked for by a key, it is about what is selected. */
  point(at: IPoint): void;
  /** Double click, or Enter on the selected node (null). */
  open(at: IPoint | null): void;
  /** Tab; false lets the focus leave. */
  step(direction: 1 | -1): boolean;
  /** Shows what is in the selected sublattice in its place, or no longer. */
  fold(): void;
  nextFailed(): void;
  find(): void;
  clear(): void;
}

const CLICK_SLACK = 4;
const KEY_PAN = 60;
const KEY_NUDGE = 12;
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1]
};

/** Listens until disposed. */
export class GraphInput {
  constructor(canvas: HTMLCanvasElement, intentions: IGraphIntentions) {
    this._canvas = canvas;
    this._to = intentions;
    const { signal } = this._abort;
    canvas.addEventListener('pointerdown', event => this._down(event), { signal });
    canvas.addEventListener('pointermove', event => this._move(event), { signal });
    canvas.addEventListener('pointerup', event => this._up(event, true), { signal });
    canvas.addEventListener('pointercancel', event => this._up(event, false), { signal });
    canvas.addEventListener('pointerleave', () => this._to.hover(null), { signal });
    canvas.addEventListener('dblclick', event => this._to.open(this._point(event)), { signal });
    canvas.addEventListener('contextmenu', event => this._menu(event), { signal });
    canvas.addEventListener('wheel', event => this._wheel(event), { signal, passive: false });
    canvas.addEventListener('keydown', event => this._key(event), { signal });
  }

  dispose(): void {
    this._abort.abort();
  }

  private _point(event: MouseEvent): IPoint {
    const box = this._canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private _down(event: PointerEvent): void {
    if (event.button !== 0) {
      return;
    }
    this._canvas.setPointerCapture(event.pointerId);
    this._pointers.set(event.pointerId, this._point(event));
    this._travelled = this._pointers.size > 1 ? Infinity : 0;
    this._isDragging = this._pointers.size === 1 && this._to.grab(this._point(event));
  }

  private _move(event: PointerEvent): void {
    const at = this._point(event);
    const before = this._pointers.get(event.pointerId);
    if (before === undefined) {
      this._to.hover(at);
      return;
    }
    const other = [...this._pointers].find(([id]) => id !== event.pointerId)?.[1];
    this._pointers.set(event.pointerId, at);
    if (other !== undefined) {
      const distance = Math.hypot(at.x - other.x, at.y - other.y);
      const last = Math.hypot(before.x - other.x, before.y - other.y);
      const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
      this._to.zoom(distance / Math.max(1, last), middle);
      return;
    }
    this._travelled += Math.hypot(at.x - before.x, at.y - before.y);
    if (this._travelled > CLICK_SLACK) {
      this._canvas.classList.add('cvl-mod-dragging');
      const move = this._isDragging ? this._to.drag : this._to.pan;
      move(at.x - before.x, at.y - before.y);
    }
  }

  private _up(event: PointerEvent, isClick: boolean): void {
    if (!this._pointers.delete(event.pointerId)) {
      return;
    }
    this._canvas.classList.remove('cvl-mod-dragging');
    if (this._isDragging && this._pointers.size === 0) {
      this._to.drop();
    }
    if (isClick && this._travelled <= CLICK_SLACK) {
      this._to.click(this._point(event));
    }
  }

  private _menu(event: MouseEvent): void {
    const isByPointer = event.button === 2 || event.ctrlKey; // Control and a click on a Mac
    if (isByPointer) {
      this._to.point(this._point(event));
    }
  }

  private _wheel(event: WheelEvent): void {
    if (this._to.wheelNeedsModifier && !event.ctrlKey && !event.metaKey) {
      return;
    }
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.0016;
    this._to.zoom(Math.exp(-event.deltaY * lines * speed), this._point(event));
  }

  private _key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (this._act(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  private _act(event: KeyboardEvent): boolean {
    const arrow = ARROWS[event.key];
    if (arrow !== undefined) {
      const [dx, dy] = arrow;
      if (!event.shiftKey || !this._to.nudge(KEY_NUDGE * dx, KEY_NUDGE * dy)) {
        this._to.pan(-KEY_PAN * dx, -KEY_PAN * dy);
      }
      return true;
    }
    switch (event.key) {
      case '+':
      case '=':
        this._to.zoomStep(1);
        return true;
      case '-':
        this._to.zoomStep(-1);
        return true;
      case '0':
        this._to.fit();
        return true;
      case 'Enter':
        this._to.open(null);
        return true;
      case 'u':
        this._to.fold();
        return true;
      case 'f':
        this._to.nextFailed();
        return true;
      case '/':
        this._to.find();
        return true;
      case 'Escape':
        this._to.clear();
        return true;
      case 'Tab':
        return this._to.step(event.shiftKey ? -1 : 1);
      default:
        return false;
    }
  }

  private readonly _canvas: HTMLCanvasElement;
  private readonly _to: IGraphIntentions;
  private readonly _abort = new AbortController();
  private readonly _pointers = new Map<number, IPoint>();
  private _travelled = 0;
  private _isDragging = false;
}
