/** A small map in the corner, shown only while part of the graph is out of view. */

import { statusName } from '../../graph/states';
import { statusTone } from '../../graph/style';
import { viewOf } from '../../graph/visible';
import type { IScene } from './scene';

const MAX_WIDTH = 150;
const MAX_HEIGHT = 100;
const MARGIN = 10;

/** Paints the map over the lower right corner, if it is of use. */
export function paintMinimap(context: CanvasRenderingContext2D, scene: IScene): void {
  const { layout, camera, size, palette } = scene;
  const view = viewOf(camera, size);
  const isAllInView =
    view.left <= 0 && view.top <= 0 && view.right >= layout.width && view.bottom >= layout.height;
  if (isAllInView || layout.nodes.length < 2 || size.width < 360 || size.height < 240) {
    return;
  }
  const scale = Math.min(MAX_WIDTH / layout.width, MAX_HEIGHT / layout.height);
  const width = Math.max(24, layout.width * scale);
  const height = Math.max(16, layout.height * scale);
  const left = size.width - width - MARGIN - 8;
  const top = size.height - height - MARGIN - 8;
  context.save();
  context.globalAlpha = 0.94;
  context.fillStyle = palette.card;
  context.strokeStyle = palette.border;
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(left - 6, top - 6, width + 12, height + 12, 6);
  context.fill();
  context.stroke();
  context.clip();
  for (const id of layout.nodes) {
    const tone = scene.isLive ? statusTone(statusName(scene.states.status[id])) : 'pending';
    context.fillStyle = palette.status[tone];
    const wide = Math.max(1.5, layout.nodeWidth[id] * scale);
    const high = Math.max(1.5, layout.nodeHeight[id] * scale);
    context.globalAlpha = scene.frames.has(id) ? 0.2 : 0.94;
    context.fillRect(
      left + layout.x[id] * scale - wide / 2,
      top + layout.y[id] * scale - high / 2,
      wide,
      high
    );
  }
  context.globalAlpha = 1;
  context.strokeStyle = palette.brand;
  context.lineWidth = 1.5;
  context.strokeRect(
    left + view.left * scale,
    top + view.top * scale,
    (view.right - view.left) * scale,
    (view.bottom - view.top) * scale
  );
  context.restore();
}
