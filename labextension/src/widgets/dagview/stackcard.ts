/** What is different about the card of a stack: cards behind it, and a bar with the share of each status. */

import { COMPLETED, FAILED, statusName } from '../../graph/states';
import type { ITexts } from '../../graph/style';
import { statusTone } from '../../graph/style';
import type { IScene } from './scene';

const OFFSET = 3.5;
const BAR_HEIGHT = 3;

/** Paints the edges of two more cards behind a card. */
export function paintPile(
  context: CanvasRenderingContext2D,
  scene: IScene,
  id: number,
  radius: number
): void {
  const { layout, palette } = scene;
  const width = layout.nodeWidth[id];
  const height = layout.nodeHeight[id];
  context.save();
  context.fillStyle = palette.cardMuted;
  context.strokeStyle = palette.border;
  context.lineWidth = 1;
  for (const step of [2, 1]) {
    const left = layout.x[id] - width / 2 + step * OFFSET;
    const top = layout.y[id] - height / 2 + step * OFFSET;
    context.beginPath();
    context.roundRect(left, top, width, height, radius);
    context.fill();
    context.stroke();
  }
  context.restore();
  context.beginPath();
  context.roundRect(layout.x[id] - width / 2, layout.y[id] - height / 2, width, height, radius);
}

/** Paints the bar along the lower side of a stack's card; of other cards nothing. */
export function paintCounts(context: CanvasRenderingContext2D, scene: IScene, id: number): void {
  const counts = scene.counts?.get(id);
  if (counts === undefined) {
    return;
  }
  const { layout, palette } = scene;
  const inset = 8;
  const room = layout.nodeWidth[id] - 2 * inset;
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  let left = layout.x[id] - layout.nodeWidth[id] / 2 + inset;
  const top = layout.y[id] + layout.nodeHeight[id] / 2 - BAR_HEIGHT - 2;
  for (const [code, count] of [...counts].reverse()) {
    const wide = (room * count) / total;
    context.fillStyle = palette.status[statusTone(statusName(code))];
    context.fillRect(left, top, wide, BAR_HEIGHT);
    left += wide;
  }
}

/** How a stack stands, in few words: `612/1000 · 3 failed`. */
export function stackText(counts: ReadonlyMap<number, number>, texts: ITexts): string {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const done = `${counts.get(COMPLETED) ?? 0}/${total}`;
  const failed = counts.get(FAILED) ?? 0;
  return failed === 0 ? done : `${done} · ${texts.__('%1 failed', failed)}`;
}
