import { describe, expect, it } from 'vitest';

import type { IRoom } from '../../src/graph/blocks';
import type { ILayout, Orientation } from '../../src/graph/layout';
import { layoutGraph } from '../../src/graph/layout';
import { ENTERS_BY_SIDE, LEAVES_BY_SIDE } from '../../src/graph/routes';
import { structureFromWire } from '../../src/graph/structure';
import { fitCamera, MARGIN } from '../../src/graph/visible';
import { traceBundles } from '../../src/widgets/dagview/trace';
import { chain, fan, graph } from '../fakes';

const WIDE: IRoom = { width: 1600, height: 500 };
const TALL: IRoom = { width: 500, height: 1600 };

function layoutIn(room: IRoom, width: number, orientation: Orientation = 'down'): ILayout {
  return layoutGraph(structureFromWire(fan(width)), {
    orientation,
    showParameters: true,
    showPostprocess: true,
    room
  });
}

function scaleIn(layout: ILayout, room: IRoom): number {
  const size = { width: room.width + 2 * MARGIN, height: room.height + 2 * MARGIN };
  return fitCamera(layout, size).scale;
}

describe('blocks of wide layers', () => {
  it.each(['down', 'right'] as const)('use the room they are given (%s)', orientation => {
    for (const room of [WIDE, TALL]) {
      const layout = layoutIn(room, 200, orientation);
      const ratio = layout.width / layout.height / (room.width / room.height);
      expect(ratio).toBeGreaterThan(0.5);
      expect(ratio).toBeLessThan(2);
    }
  });

  it('are drawn larger in the room they were made for than in another', () => {
    expect(scaleIn(layoutIn(TALL, 200), TALL)).toBeGreaterThan(scaleIn(layoutIn(WIDE, 200), TALL));
    expect(scaleIn(layoutIn(WIDE, 200), WIDE)).toBeGreaterThan(scaleIn(layoutIn(TALL, 200), WIDE));
  });

  it('leave room for a label on each of two hundred cards in a usual view', () => {
    const room = { width: 640, height: 760 };
    const layout = layoutIn(room, 200);
    expect(layout.nodeWidth[1] * scaleIn(layout, room)).toBeGreaterThanOrEqual(40);
  });

  it('leave graphs alone that can be read as they are', () => {
    const layout = layoutIn({ width: 1600, height: 900 }, 6);
    expect(new Set(layout.y.slice(1, 7)).size).toBe(1);
    expect([...layout.joints]).toEqual(new Array(12).fill(0));
  });

  it('depend on the room only where there is something to break', () => {
    const small = layoutGraph(structureFromWire(chain(4)), {
      orientation: 'down',
      showParameters: true,
      showPostprocess: true
    });
    expect(small.dependsOnRoom).toBe(false);
    expect(layoutIn(WIDE, 200).dependsOnRoom).toBe(true);
  });

  it.each([
    [0, 0],
    [1, 1],
    [100_000, 1]
  ])('survive a room of %i by %i', (width, height) => {
    const layout = layoutIn({ width, height }, 60);
    expect(layout.nodes.length).toBe(62);
    expect([...layout.x, ...layout.y, ...layout.points].every(Number.isFinite)).toBe(true);
  });
});

describe('edges of blocks', () => {
  const layout = layoutIn(TALL, 200);

  it('run beside the cards and never through them', () => {
    for (let edge = 0; edge < layout.edges.length; edge += 1) {
      for (
        let point = layout.pointStart[edge] + 1;
        point < layout.pointStart[edge + 1];
        point += 1
      ) {
        const [x, y, toX, toY] = layout.points.subarray(2 * point - 2, 2 * point + 2);
        if (x !== toX) {
          continue;
        }
        const crossed = [...layout.nodes].filter(
          id =>
            Math.abs(layout.x[id] - x) < layout.nodeWidth[id] / 2 - 0.5 &&
            layout.y[id] > Math.min(y, toY) &&
            layout.y[id] < Math.max(y, toY)
        );
        expect(crossed).toEqual([]);
      }
    }
  });

  it('enter and leave cards of the block by the side', () => {
    const bits = new Set(layout.joints);
    expect(bits).toEqual(new Set([ENTERS_BY_SIDE, LEAVES_BY_SIDE]));
  });

  it('pass a block that they cross on a lane beside it', () => {
    const width = 120;
    const ids = Array.from({ length: width }, (_, index) => index + 1);
    const wire = graph(
      [
        ['split', 'function'],
        ...ids.map(id => [`work_${id}`, 'function'] as const),
        ['join', 'function']
      ],
      [
        ...ids.flatMap(id => [[0, id, 'x'] as const, [id, width + 1, 'y'] as const]),
        [0, width + 1, 'z']
      ]
    );
    const crossed = layoutGraph(structureFromWire(wire), {
      orientation: 'down',
      showParameters: true,
      showPostprocess: true,
      room: TALL
    });
    const edge = crossed.edges.indexOf(2 * width);
    const xs = Array.from(
      { length: crossed.pointStart[edge + 1] - crossed.pointStart[edge] },
      (_, index) => crossed.points[2 * (crossed.pointStart[edge] + index)]
    );
    const left = Math.min(...ids.map(id => crossed.x[id] - crossed.nodeWidth[id] / 2));
    const right = Math.max(...ids.map(id => crossed.x[id] + crossed.nodeWidth[id] / 2));
    expect(xs.slice(1, -1).every(x => x < left || x > right)).toBe(true);
    expect(xs.length).toBe(4);
  });

  it('go around single cards below the block', () => {
    const wire = fan(40);
    const last = wire.nodes.name.length;
    const longer = graph(
      [
        ...wire.nodes.name.map(name => [name, 'function'] as const),
        ['best', 'function'],
        ['report', 'function']
      ],
      [
        ...wire.edges.source.map((source, i) => [source, wire.edges.target[i], 'x'] as const),
        [last - 1, last, 'x'],
        [last, last + 1, 'x'],
        [0, last + 1, 'data']
      ]
    );
    const crossed = layoutGraph(structureFromWire(longer), {
      orientation: 'down',
      showParameters: true,
      showPostprocess: true,
      room: TALL
    });
    const edge = crossed.edges.length - 1;
    for (
      let point = crossed.pointStart[edge] + 1;
      point < crossed.pointStart[edge + 1];
      point += 1
    ) {
      for (const id of [last - 1, last]) {
        const isBeside =
          Math.abs(crossed.points[2 * point] - crossed.x[id]) > crossed.nodeWidth[id] / 2;
        const isAtHeight =
          Math.abs(crossed.points[2 * point + 1] - crossed.y[id]) < crossed.nodeHeight[id] / 2;
        expect(isBeside || !isAtHeight).toBe(true);
      }
    }
    expect(crossed.pointStart[edge + 1] - crossed.pointStart[edge]).toBe(6);
  });

  it('are traced once where many of them lie on one another', () => {
    const counted = () => {
      const count = { lines: 0, curves: 0, corners: 0 };
      const pen = {
        moveTo: () => undefined,
        lineTo: () => (count.lines += 1),
        bezierCurveTo: () => (count.curves += 1),
        quadraticCurveTo: () => (count.corners += 1),
        closePath: () => undefined
      };
      return { count, pen };
    };
    const lanes = counted();
    const crossings = counted();
    const crossingCount = traceBundles(lanes.pen, crossings.pen, layout);
    const columns = new Set(layout.x.slice(1, 201)).size;
    expect(lanes.count).toEqual({ lines: 2 * columns, curves: 0, corners: 2 * 200 });
    expect(crossings.count).toEqual({ lines: 0, curves: 2 * columns, corners: 0 });
    expect(crossingCount).toBe(2 * columns);
  });
});
