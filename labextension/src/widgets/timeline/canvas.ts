/** A timeline on a canvas: the span of time and the part of the lanes in view, selection and keys. Plain DOM. */

import type { ILane, ISpan } from '../../graph/lanes';
import { barAt, lanesIn, moveSpan, ROW, rowOf, zoomSpan } from '../../graph/lanes';
import type { INodeStates } from '../../graph/states';
import { nextFailed } from '../../graph/states';
import type { IGraphStructure } from '../../graph/structure';
import type { ITexts } from '../../graph/style';
import { formatDuration, nodeWord } from '../../graph/style';
import type { IBar, ITimeline } from '../../graph/timeline';
import { endOf, ranFor, triedFor, waitedFor } from '../../graph/timeline';
import type { ISize } from '../../graph/visible';
import type { IPoint } from '../dagview/input';
import { GraphInput } from '../dagview/input';
import type { IFrame } from '../dagview/screen';
import { Screen } from '../dagview/screen';
import { TextFitter } from '../dagview/text';
import { AXIS, paintTimeline, timeAt, xOf } from './paint';

/** What is shown. */
export interface ITimelineContent {
  readonly structure: IGraphStructure;
  readonly states: INodeStates;
  readonly timeline: ITimeline;
}

/** What the canvas is made with. */
export interface ITimelineCanvasOptions {
  host: HTMLElement;
  texts: ITexts;
  onSelect: (id: number | null) => void;
  onOpen: (id: number) => void;
}

const ZOOM_STEP = 1.5;
const AREA_ZOOM = 4;
/** Free time after the last end, as a share of the whole. */
const TAIL = 0.04;
const MIN_WHOLE = 1e-3;

/** Shows one timeline. */
export class TimelineCanvas {
  constructor(options: ITimelineCanvasOptions) {
    this._options = options;
    this._screen = new Screen({
      host: options.host,
      paint: frame => this._paint(frame),
      resized: size => (this._size = size)
    });
    const canvas = this._screen.node;
    canvas.setAttribute('role', 'img');
    this._live = document.createElement('div');
    this._live.className = 'cvl-visuallyHidden';
    this._live.setAttribute('aria-live', 'polite');
    options.host.append(this._live);
    this._input = new GraphInput(canvas, {
      wheelNeedsModifier: false,
      pan: (dx, dy) => this._pan(dx, dy),
      zoom: (factor, at) => this._zoom(factor, at.x),
      zoomStep: direction => this.zoomBy(ZOOM_STEP ** direction),
      fit: () => this.fit(),
      grab: () => false,
      drop: () => undefined,
      fold: () => undefined,
      drag: () => undefined,
      nudge: () => false,
      hover: at => this._hover(at),
      click: at => this._click(at),
      point: at => this._click(at),
      open: at => this._open(at),
      step: direction => this._step(direction),
      nextFailed: () => this._nextFailed(),
      find: () => undefined,
      clear: () => this._choose(null)
    });
  }

  /** Shows a timeline, in the span and with the selection there is. */
  setContent(content: ITimelineContent): void {
    this._content = content;
    this._critical = new Set(content.timeline.critical);
    const count = content.timeline.bars.length;
    const label = this._options.texts._n(
      'Timeline of %1 node. Tab moves through the nodes, Enter shows one in the graph, plus and minus zoom.',
      'Timeline of %1 nodes. Tab moves through the nodes, Enter shows one in the graph, plus and minus zoom.',
      count
    );
    this._screen.node.setAttribute('aria-label', label);
    this._screen.schedule();
  }

  /** Selects a node (null: none) and brings its row into view. */
  select(id: number | null): void {
    if (id !== this._selected) {
      this._selected = id;
      const bar = this._barOf(id);
      this._live.textContent = bar === null ? '' : this.describe(bar.id);
      if (bar !== null) {
        this._reveal(bar);
      }
      this._screen.schedule();
    }
  }

  /** What is to say about a node: how it stands, how long it waited and ran. */
  describe(id: number): string {
    const { texts } = this._options;
    const bar = this._barOf(id);
    if (bar === null || this._content === null) {
      return '';
    }
    const { structure, states } = this._content;
    const now = Date.now() / 1000;
    const parts = [
      texts.__('Node %1: %2', id, structure.labels[id]),
      nodeWord(states, id, texts),
      texts.__('waited %1', formatDuration(waitedFor(bar, now)))
    ];
    if (bar.earlier.length > 0) {
      const count = bar.earlier.length;
      parts.push(texts.__('tried %1 times before, for %2', count, formatDuration(triedFor(bar))));
    }
    if (!Number.isNaN(bar.startedAt)) {
      parts.push(texts.__('ran %1', formatDuration(ranFor(bar, now))));
    }
    if (this._critical.has(id)) {
      parts.push(texts.__('on the critical path'));
    }
    return parts.join(', ');
  }

  /** Shows all of the time. */
  fit(): void {
    this._span = null;
    this._scroll = 0;
    this._screen.schedule();
  }

  /** Enlarges around the middle. */
  zoomBy(factor: number): void {
    this._zoom(factor, this._size.width / 2);
  }

  refreshTheme(): void {
    this._screen.refreshTheme();
  }

  focus(): void {
    this._screen.node.focus({ preventScroll: true });
  }

  dispose(): void {
    this._screen.dispose();
    this._input.dispose();
  }

  private _barOf(id: number | null): IBar | null {
    return this._content?.timeline.bars.find(bar => bar.id === id) ?? null;
  }

  /** All of the time; it grows while something goes on. */
  private _whole(now = Date.now() / 1000): ISpan {
    const { timeline } = this._content as ITimelineContent;
    const to = Number.isNaN(timeline.to) ? now : timeline.to;
    const length = Math.max(MIN_WHOLE, to - timeline.from);
    return { from: timeline.from, to: timeline.from + length * (1 + TAIL) };
  }

  private _lanes(now = Date.now() / 1000): ILane[] {
    const span = this._span ?? this._whole(now);
    return this._content === null ? [] : lanesIn(this._content.timeline, span, now);
  }

  private _pan(dx: number, dy: number): void {
    if (this._content !== null) {
      if (this._span !== null) {
        const length = this._span.to - this._span.from;
        this._span = moveSpan(this._span, (-dx * length) / this._size.width, this._whole());
      }
      this._scroll = this._scrolled(this._scroll - dy, this._lanes());
      this._screen.schedule();
    }
  }

  private _scrolled(scroll: number, lanes: readonly ILane[]): number {
    const last = lanes[lanes.length - 1];
    const height = last === undefined ? 0 : last.top + last.height + ROW;
    return Math.max(0, Math.min(height - (this._size.height - AXIS), scroll));
  }

  private _zoom(factor: number, x: number): void {
    if (this._content !== null) {
      const whole = this._whole();
      const span = this._span ?? whole;
      const next = zoomSpan(span, factor, timeAt(span, this._size.width, x), whole);
      this._span = next === whole ? null : next;
      this._scroll = this._scrolled(this._scroll, this._lanes());
      this._screen.schedule();
    }
  }

  private _idAt(at: IPoint | null): number | null {
    return at === null || at.y < AXIS
      ? null
      : (barAt(this._lanes(), at.y - AXIS + this._scroll)?.id ?? null);
  }

  private _hover(at: IPoint | null): void {
    const id = this._idAt(at);
    if (id !== this._hovered) {
      this._hovered = id;
      this._screen.node.title = id === null ? '' : this.describe(id);
      this._screen.node.style.cursor = id === null ? '' : 'pointer';
      this._screen.schedule();
    }
  }

  /** Selects the node under the pointer; where nodes are not told apart, goes nearer. */
  private _click(at: IPoint): void {
    const id = this._idAt(at);
    const y = at.y - AXIS + this._scroll;
    const lane = this._lanes().find(({ top, height }) => y >= top && y < top + height);
    if (id === null && lane?.rows === null) {
      this._zoom(AREA_ZOOM, at.x);
    } else {
      this._choose(id);
    }
  }

  private _choose(id: number | null): void {
    this.select(id);
    this._options.onSelect(id);
  }

  private _open(at: IPoint | null): void {
    const id = at === null ? this._selected : this._idAt(at);
    if (id !== null) {
      this._options.onOpen(id);
    }
  }

  /** Goes to the next or previous node by the time it was ready; false at the end, where Tab leaves the timeline. */
  private _step(direction: 1 | -1): boolean {
    const bars = this._content?.timeline.bars ?? [];
    const at = bars.findIndex(bar => bar.id === this._selected);
    const next = bars[at + direction];
    if (next === undefined) {
      return false;
    }
    this._choose(next.id);
    return true;
  }

  private _nextFailed(): void {
    const id = this._content === null ? null : nextFailed(this._content.states, this._selected);
    if (id !== null) {
      this._choose(id);
    }
  }

  /** Goes so near that the node has a row of its own, and scrolls to that. */
  private _reveal(bar: IBar): void {
    const now = Date.now() / 1000;
    const whole = this._whole(now);
    const begin = Number.isNaN(bar.startedAt) ? bar.readyAt : bar.startedAt;
    const middle = (begin + endOf(bar, now)) / 2;
    const isOut = this._span !== null && (middle < this._span.from || middle > this._span.to);
    if (isOut && this._span !== null) {
      const half = (this._span.to - this._span.from) / 2;
      this._span = moveSpan(this._span, middle - half - this._span.from, whole);
    }
    let row = rowOf(this._lanes(now), bar.id);
    for (let tries = 0; row === null && tries < 40; tries += 1) {
      this._span = zoomSpan(this._span ?? whole, ZOOM_STEP, middle, whole);
      row = rowOf(this._lanes(now), bar.id);
    }
    if (row !== null) {
      const room = this._size.height - AXIS - 2 * ROW;
      const scroll = Math.max(row - room, Math.min(row - ROW, this._scroll));
      this._scroll = this._scrolled(scroll, this._lanes(now));
    }
  }

  private _paint(frame: IFrame): boolean {
    if (this._content === null) {
      return false;
    }
    const { timeline } = this._content;
    const span = this._span ?? this._whole(frame.now);
    const lanes = this._lanes(frame.now);
    paintTimeline(frame, {
      ...this._content,
      critical: this._critical,
      lanes,
      span,
      scroll: this._scroll,
      size: this._size,
      selected: this._selected ?? -1,
      hovered: this._hovered ?? -1,
      texts: this._options.texts,
      fitter: this._fitter
    });
    return Number.isNaN(timeline.to) && xOf(span, this._size.width, frame.now) >= 0;
  }

  private readonly _options: ITimelineCanvasOptions;
  private readonly _screen: Screen;
  private readonly _input: GraphInput;
  private readonly _live: HTMLElement;
  private readonly _fitter = new TextFitter();
  private _content: ITimelineContent | null = null;
  private _critical: ReadonlySet<number> = new Set();
  private _span: ISpan | null = null;
  private _scroll = 0;
  private _size: ISize = { width: 0, height: 0 };
  private _selected: number | null = null;
  private _hovered: number | null = null;
}
