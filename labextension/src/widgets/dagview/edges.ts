/** Paints the edges of a graph: calm as a whole, strong around the selected node. */

import type { IScene } from './scene';
import { bundlesOf, traceArrow, traceEdge } from './trace';

const EDGE_LABEL_SCALE = 0.7;
const ARROW_SCALE = 0.3;
const MANY_EDGES = 2500;
/** Of more edges than this only so many are painted while the picture moves. */
const SKETCHED_EDGES = 1500;
const EDGES_BEFORE_FADING = 120;
const CROSSINGS_BEFORE_FADING = 90;
/** Lines in the gaps of blocks stand for many; they need not be strong. */
const BUNDLE_ALPHA = 0.65;

/** Paints the edges at these positions in `layout.edges`. */
export function paintEdges(
  context: CanvasRenderingContext2D,
  scene: IScene,
  inView: readonly number[]
): void {
  const isSketch = scene.isMoving && scene.layout.edges.length > SKETCHED_EDGES;
  const every = isSketch ? Math.ceil(inView.length / SKETCHED_EDGES) : 1;
  const visible = every > 1 ? inView.filter((_, index) => index % every === 0) : inView;
  const { structure, layout, palette, camera, selected } = scene;
  const plain: number[] = [];
  const waiting: number[] = [];
  const strong: number[] = [];
  for (const edge of visible) {
    const id = layout.edges[edge];
    if (structure.source[id] === selected || structure.target[id] === selected) {
      strong.push(edge);
    } else if (layout.joints[edge] === 0) {
      (structure.isWait[id] === 1 ? waiting : plain).push(edge);
    }
  }
  const count = Math.max(1, plain.length + waiting.length);
  const fade = Math.max(0.12, Math.min(1, Math.sqrt(EDGES_BEFORE_FADING / count)));
  const strength = selected >= 0 ? 0.4 : 0.75;
  context.strokeStyle = palette.edge;
  if (!isSketch) {
    const bundles = bundlesOf(layout);
    context.lineWidth = Math.max(1, 0.8 / camera.scale);
    context.globalAlpha = strength * BUNDLE_ALPHA;
    context.stroke(bundles.lanes);
    context.globalAlpha *= Math.min(1, Math.sqrt(CROSSINGS_BEFORE_FADING / bundles.crossingCount));
    context.stroke(bundles.crossings);
  }
  context.globalAlpha = strength * fade;
  context.lineWidth = Math.max(1.3, 0.6 / camera.scale);
  for (const edges of [plain, waiting]) {
    context.setLineDash(edges === waiting ? [5, 5] : []);
    context.beginPath();
    edges.forEach(edge => traceEdge(context, layout, edge));
    context.stroke();
  }
  context.setLineDash([]);
  if (visible.length <= MANY_EDGES && camera.scale >= ARROW_SCALE) {
    context.fillStyle = palette.edge;
    context.globalAlpha = selected >= 0 ? 0.4 : 0.85;
    context.beginPath();
    visible.forEach(edge => traceArrow(context, layout, edge));
    context.fill();
  }
  context.globalAlpha = 1;
  for (const edge of strong) {
    const isOut = structure.source[layout.edges[edge]] === selected;
    context.strokeStyle = context.fillStyle = isOut ? palette.outgoing : palette.incoming;
    context.lineWidth = strong.length > 30 ? 1.2 / camera.scale : Math.max(2, 1.4 / camera.scale);
    context.beginPath();
    traceEdge(context, layout, edge);
    context.stroke();
    context.beginPath();
    traceArrow(context, layout, edge);
    context.fill();
  }
  if (scene.showEdgeLabels && camera.scale >= EDGE_LABEL_SCALE) {
    visible.forEach(edge => paintEdgeLabel(context, scene, edge));
  }
}

function paintEdgeLabel(context: CanvasRenderingContext2D, scene: IScene, edge: number): void {
  const { structure, layout, palette } = scene;
  const text = structure.edgeLabels[layout.edges[edge]];
  if (text === '' || layout.joints[edge] !== 0) {
    return;
  }
  const last = layout.pointStart[edge + 1] - 1;
  const x = (layout.points[2 * last] + layout.points[2 * (last - 1)]) / 2;
  const y = (layout.points[2 * last + 1] + layout.points[2 * (last - 1) + 1]) / 2;
  context.font = `10px ${palette.monospace}`;
  const shown = scene.fitter.cut(context, text, 110);
  const width = context.measureText(shown).width + 8;
  context.globalAlpha = 0.92;
  context.fillStyle = palette.background;
  context.beginPath();
  context.roundRect(x - width / 2, y - 8, width, 16, 4);
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = palette.textMuted;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(shown, x, y + 0.5);
}
