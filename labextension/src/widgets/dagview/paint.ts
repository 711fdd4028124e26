/** Paints one frame of a graph on a canvas. Holds no state; everything comes in the scene. */

import { isGoingOn } from '../../graph/states';
import { edgesInView, nodesInView, viewOf } from '../../graph/visible';
import { isFlat, paintCard, paintFlat } from './cards';
import { paintEdges } from './edges';
import { paintFoldSign } from './foldsign';
import { paintFrames } from './frames';
import { paintMark } from './marks';
import type { IScene } from './scene';

/** What the painter found, for the one who schedules frames. */
export interface IFrameReport {
  readonly hasRunning: boolean;
}

/** Paints the scene; the context is scaled to CSS pixels. */
export function paintScene(context: CanvasRenderingContext2D, scene: IScene): IFrameReport {
  const { camera, size, layout, palette } = scene;
  context.fillStyle = palette.background;
  context.fillRect(0, 0, size.width, size.height);
  context.save();
  context.scale(camera.scale, camera.scale);
  context.translate(-camera.x, -camera.y);
  const view = viewOf(camera, size);
  const { found, states, frames } = scene;
  const inView = nodesInView(layout, view);
  paintFrames(
    context,
    scene,
    inView.filter(id => frames.has(id))
  );
  paintEdges(context, scene, edgesInView(layout, view));
  const visible = frames.size === 0 ? inView : inView.filter(id => !frames.has(id));
  const flat = visible.filter(id => isFlat(scene, id));
  paintFlat(context, scene, flat);
  for (const id of flat.length === visible.length ? [] : visible) {
    if (!isFlat(scene, id)) {
      paintCard(context, scene, id);
    }
  }
  if (scene.marks !== null && scene.marks.size > 0) {
    visible.forEach(id => paintMark(context, scene, id));
  }
  if (found !== null) {
    visible.filter(id => found[id] === 0).forEach(id => fade(context, scene, id));
  }
  if (scene.foldable.size > 0) {
    inView.forEach(id => paintFoldSign(context, scene, id));
  }
  const hasRunning = inView.some(id => isGoingOn(states.status[id]));
  context.restore();
  return { hasRunning: hasRunning && scene.isLive };
}

/** Lets a node step back that a search did not find. */
function fade(context: CanvasRenderingContext2D, scene: IScene, id: number): void {
  const { layout, palette } = scene;
  const width = layout.nodeWidth[id] + 4;
  const height = layout.nodeHeight[id] + 4;
  context.globalAlpha = 0.8;
  context.fillStyle = palette.background;
  context.fillRect(layout.x[id] - width / 2, layout.y[id] - height / 2, width, height);
  context.globalAlpha = 1;
}
