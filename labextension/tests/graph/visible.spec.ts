import { describe, expect, it } from 'vitest';

import { layoutGraph } from '../../src/graph/layout';
import { structureFromWire } from '../../src/graph/structure';
import { elapsed, formatDuration, formatSize } from '../../src/graph/style';
import {
  detailOf,
  fitCamera,
  MAX_SCALE,
  nodeAt,
  nodesInView,
  panBy,
  reveal,
  viewOf,
  zoomAt
} from '../../src/graph/visible';
import { chain } from '../fakes';

const layout = layoutGraph(structureFromWire(chain(50)), {
  orientation: 'down',
  showParameters: true,
  showPostprocess: true
});
const size = { width: 800, height: 600 };

describe('camera', () => {
  it('fits the whole graph into the view', () => {
    const view = viewOf(fitCamera(layout, size), size);
    expect(nodesInView(layout, view).length).toBe(layout.nodes.length);
  });

  it('keeps the point under the pointer when zooming, within limits', () => {
    const camera = { x: 10, y: 20, scale: 1 };
    const at = { x: 200, y: 100 };
    const closer = zoomAt(camera, 2, at);
    expect(closer.x + at.x / closer.scale).toBeCloseTo(210);
    expect(closer.y + at.y / closer.scale).toBeCloseTo(120);
    expect(zoomAt(camera, 1e9, at).scale).toBe(MAX_SCALE);
  });

  it('moves the picture with the pointer', () => {
    expect(panBy({ x: 0, y: 0, scale: 2 }, 10, -20)).toEqual({ x: -5, y: 10, scale: 2 });
  });

  it('culls nodes out of view and reveals a node with the least movement', () => {
    const camera = { x: 0, y: 0, scale: 1 };
    const visible = nodesInView(layout, viewOf(camera, size));
    expect(visible.length).toBeLessThan(10);
    expect(visible).not.toContain(49);
    const moved = reveal(camera, layout, 49, size);
    expect(nodesInView(layout, viewOf(moved, size))).toContain(49);
    expect(reveal(moved, layout, 49, size)).toBe(moved);
  });

  it('finds the node at a point, or none', () => {
    expect(nodeAt(layout, layout.x[7], layout.y[7])).toBe(7);
    expect(nodeAt(layout, -500, -500)).toBe(-1);
  });

  it('shows less of a node the smaller it is', () => {
    const shown = [1, 0.4, 0.2, 0.1, 0.02].map(scale => detailOf(176 * scale, 46 * scale));
    expect(shown).toEqual(['full', 'label', 'sign', 'box', 'dot']);
  });
});

describe('words', () => {
  it('writes durations with about three digits', () => {
    expect([0.0004, 0.42, 3.21, 245, 7650, 273_600].map(formatDuration)).toEqual([
      '0 ms',
      '420 ms',
      '3.2 s',
      '4 m 05 s',
      '2 h 07 m',
      '3 d 4 h'
    ]);
    expect(formatDuration(NaN)).toBe('');
  });

  it('writes sizes', () => {
    expect([312, 4100, 2_000_000].map(formatSize)).toEqual(['312 B', '4.1 kB', '2.0 MB']);
  });

  it('counts up to now while something runs, and never below zero', () => {
    expect(elapsed(10, null, 12)).toBe(2);
    expect(elapsed(10, 11, 12)).toBe(1);
    expect(elapsed(null, null, 12)).toBeNull();
    expect(elapsed(13, null, 12)).toBe(0);
  });
});
