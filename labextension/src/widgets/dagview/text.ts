/** Cuts texts to a width, and remembers the answers: measuring is what takes time in a frame with many cards. */

const MAX_REMEMBERED = 4000;

/** Answers for one canvas. */
export class TextFitter {
  /** The text, or as much of its beginning as fits with an ellipsis; in the font the context has. */
  cut(context: CanvasRenderingContext2D, text: string, width: number): string {
    const room = Math.round(width);
    const key = `${context.font}|${room}|${text}`;
    const known = this._known.get(key);
    if (known !== undefined) {
      return known;
    }
    if (this._known.size >= MAX_REMEMBERED) {
      this._known.clear();
    }
    const answer = shorten(context, text, room);
    this._known.set(key, answer);
    return answer;
  }

  /** Whether the whole text fits. */
  fits(context: CanvasRenderingContext2D, text: string, width: number): boolean {
    return this.cut(context, text, width) === text;
  }

  private readonly _known = new Map<string, string>();
}

function shorten(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) {
    return text;
  }
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`${text.slice(0, middle)}…`).width <= width) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return `${text.slice(0, low)}…`;
}
