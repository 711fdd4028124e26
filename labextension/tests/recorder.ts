/** A canvas context that writes down what is drawn, and what jsdom lacks besides. */

/** One line or area: its colours, where it begins, and how it is drawn. */
export interface IDrawn {
  readonly what: 'stroke' | 'fill' | 'fillText';
  readonly colour: string;
  /** Where the path begins, or the text stands. */
  readonly at: readonly [number, number] | null;
  readonly dash: readonly number[];
  readonly text: string;
}

/** Stands in for a context; all methods do nothing but be remembered. */
export class Recorder {
  readonly drawn: IDrawn[] = [];
  readonly calls: [string, ...unknown[]][] = [];

  get context(): CanvasRenderingContext2D {
    const style: Record<string, unknown> = { strokeStyle: '', fillStyle: '', font: '' };
    let begin: [number, number] | null = null;
    let dash: number[] = [];
    const draw = (what: IDrawn['what'], at = begin, text = '') => {
      const colour = String(what === 'stroke' ? style.strokeStyle : style.fillStyle);
      this.drawn.push({ what, colour, at, dash, text });
    };
    const methods: Record<string, (...args: never[]) => unknown> = {
      beginPath: () => (begin = null),
      moveTo: (x: number, y: number) => (begin ??= [x, y]),
      setLineDash: (values: number[]) => (dash = values),
      stroke: () => draw('stroke'),
      fill: () => draw('fill'),
      fillText: (text: string, x: number, y: number) => draw('fillText', [x, y], text),
      measureText: (text: string) => ({ width: 6 * text.length })
    };
    return new Proxy(style, {
      get: (_, name: string) =>
        name in style
          ? style[name]
          : (...args: never[]) => {
              this.calls.push([name, ...args]);
              return methods[name]?.(...args);
            }
    }) as unknown as CanvasRenderingContext2D;
  }

  /** Texts in the order in which they were written. */
  get texts(): string[] {
    return this.drawn.filter(({ what }) => what === 'fillText').map(({ text }) => text);
  }

  /** Where lines of a colour begin. */
  linesOf(colour: string): (readonly [number, number] | null)[] {
    return this.drawn
      .filter(({ what, colour: own }) => what === 'stroke' && own === colour)
      .map(({ at }) => at);
  }
}

/** A path that goes nowhere. */
export class PathStub {
  moveTo(): void {
    /* nothing is drawn */
  }
  lineTo(): void {
    /* nothing is drawn */
  }
  rect(): void {
    /* nothing is drawn */
  }
}
