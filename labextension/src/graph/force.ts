/**
 * Forces: nodes repel one another and edges pull (d3-force, with its fixed random numbers: the same graph gives the
 * same picture). Cards are wide; so the simulation runs where they are squares, and its result is stretched.
 */

import type { SimulationNodeDatum } from 'd3-force';
import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from 'd3-force';

import type { ILayout, ILayoutOptions } from './layout';
import { layoutFromPlaces, visibleEdges } from './positions';
import { nodeSizes } from './sizes';
import type { IGraphStructure } from './structure';

const SPACE = 16;
const REPULSION = -180;
const TOGETHER = 0.03;
const MAX_TICKS = 300;
const MIN_TICKS = 40;
/** Nodes times ticks: larger graphs get fewer ticks, so that they are done in seconds. */
const WORK = 120_000;
/** The radius of a circle around a square, in sides. */
const CIRCUMSCRIBED = Math.SQRT1_2;

/** Positions of all visible nodes by forces. */
export function forceLayout(
  structure: IGraphStructure,
  options: ILayoutOptions,
  isVisible: Uint8Array
): ILayout {
  const sizes = nodeSizes(structure, isVisible, options.frames);
  const nodes = [...isVisible.keys()].filter(id => isVisible[id] === 1);
  const edges = visibleEdges(structure, isVisible);
  const bodies = nodes.map((): SimulationNodeDatum => ({}));
  const place = new Map(nodes.map((id, index) => [id, index]));
  const cards = nodes.filter(id => options.frames?.has(id) !== true);
  const side = cards.reduce((most, id) => Math.max(most, sizes.height[id]), 1) + SPACE;
  const width = cards.reduce((most, id) => Math.max(most, sizes.width[id]), 1) + SPACE;
  const radii = nodes.map(id => {
    const frame = options.frames?.get(id);
    return frame === undefined
      ? side * CIRCUMSCRIBED
      : Math.hypot(((frame.width + SPACE) * side) / width, frame.height + SPACE) / 2;
  });
  const links = Array.from(edges, edge => ({
    source: place.get(structure.source[edge]) as number,
    target: place.get(structure.target[edge]) as number
  }));
  forceSimulation(bodies)
    .stop()
    .force('repulsion', forceManyBody().strength(REPULSION))
    .force('edges', forceLink(links).distance(1.6 * side))
    .force('x', forceX(0).strength(TOGETHER))
    .force('y', forceY(0).strength(TOGETHER))
    .force('apart', forceCollide((_, index) => radii[index]).iterations(2))
    .tick(Math.round(Math.max(MIN_TICKS, Math.min(MAX_TICKS, WORK / Math.max(1, nodes.length)))));
  const x = new Float32Array(structure.count);
  const y = new Float32Array(structure.count);
  nodes.forEach((id, index) => {
    x[id] = ((bodies[index].x ?? 0) * width) / side;
    y[id] = bodies[index].y ?? 0;
  });
  return layoutFromPlaces(structure, {
    nodes,
    edges,
    x,
    y,
    sizes,
    orientation: options.orientation,
    isStraight: true,
    dependsOnRoom: false
  });
}
