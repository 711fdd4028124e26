import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { arrangeGraph } from '../../src/graph/arrange';
import type { NodeMark } from '../../src/graph/marks';
import { statesFromColumns } from '../../src/graph/states';
import { structureFromWire } from '../../src/graph/structure';
import { plainTexts } from '../../src/graph/style';
import { paintEdges } from '../../src/widgets/dagview/edges';
import { drawStatusGlyph, KIND_PATHS } from '../../src/widgets/dagview/glyphs';
import { paintScene } from '../../src/widgets/dagview/paint';
import type { IScene } from '../../src/widgets/dagview/scene';
import { Screen } from '../../src/widgets/dagview/screen';
import { TextFitter } from '../../src/widgets/dagview/text';
import { DEFAULT_VIEW } from '../../src/widgets/dagview/view';
import { columns, graph, PALETTE } from '../fakes';
import { PathStub, Recorder } from '../recorder';

/** value → first → (second, third). */
const structure = structureFromWire(
  graph(
    [
      [':parameter:5', 'parameter'],
      ['first', 'function'],
      ['second', 'function'],
      ['third', 'function']
    ],
    [
      [0, 1, 'x'],
      [1, 2, 'x'],
      [1, 3, 'x']
    ]
  )
);
const layout = arrangeGraph(structure, DEFAULT_VIEW);
const [VALUE, FIRST, SECOND] = [0, 1, 2];
const FAKED = [
  'setTimeout',
  'clearTimeout',
  'requestAnimationFrame',
  'cancelAnimationFrame'
] as const;

function scene(change: Partial<IScene> = {}): IScene {
  return {
    structure,
    layout,
    states: statesFromColumns(structure, columns(1, [[FIRST, 'RUNNING']])),
    counts: null,
    marks: null,
    found: null,
    nodeOf: id => id,
    frames: new Map(),
    foldable: new Map(),
    camera: { x: -50, y: -50, scale: 1 },
    size: { width: 900, height: 700 },
    palette: { ...PALETTE, incoming: 'incoming', outgoing: 'outgoing', edge: 'edge' },
    texts: plainTexts,
    fitter: new TextFitter(),
    selected: -1,
    hovered: -1,
    showEdgeLabels: false,
    isLive: true,
    isMoving: false,
    hasMotion: true,
    now: 106.25,
    ...change
  };
}

/** Where the edges begin that join these nodes. */
function beginnings(pairs: readonly (readonly [number, number])[]): [number, number][] {
  return pairs.map(([source, target]) => {
    const edge = [...layout.edges].findIndex(
      id => structure.source[id] === source && structure.target[id] === target
    );
    const point = layout.pointStart[edge];
    return [layout.points[2 * point], layout.points[2 * point + 1]];
  });
}

let recorder: Recorder;

beforeEach(() => {
  recorder = new Recorder();
  vi.stubGlobal('Path2D', PathStub);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('edges', () => {
  const paint = (selected: number) =>
    paintEdges(recorder.context, scene({ selected }), [...layout.edges.keys()]);

  it('stand out that leave a selected value', () => {
    paint(VALUE);
    expect(recorder.linesOf('outgoing')).toEqual(beginnings([[VALUE, FIRST]]));
    expect(recorder.linesOf('incoming')).toEqual([]);
  });

  it('stand out in two colours that enter and leave a selected node', () => {
    paint(FIRST);
    expect(recorder.linesOf('incoming')).toEqual(beginnings([[VALUE, FIRST]]));
    expect(recorder.linesOf('outgoing')).toEqual(
      beginnings([
        [FIRST, SECOND],
        [FIRST, 3]
      ])
    );
  });

  it('are all alike while nothing is selected', () => {
    paint(-1);
    expect([...recorder.linesOf('incoming'), ...recorder.linesOf('outgoing')]).toEqual([]);
  });

  it('have their names on them if wanted', () => {
    const shown = scene({ showEdgeLabels: true });
    paintEdges(recorder.context, shown, [...layout.edges.keys()]);
    expect(recorder.texts).toEqual(['x', 'x', 'x']);
  });
});

describe('a node', () => {
  it('has on it what it is called, how it stands, where it runs, and its number', () => {
    paintScene(recorder.context, scene());
    expect(recorder.texts).toEqual(
      expect.arrayContaining(['5', 'first', 'Running · 5.2 s', 'local #1', 'second', 'Pending'])
    );
  });

  it('counts its time while it runs, and says that it has to be painted again', () => {
    const told = (now: number) => {
      recorder = new Recorder();
      const { hasRunning } = paintScene(recorder.context, scene({ now }));
      return [recorder.texts.find(text => text.startsWith('Running')), hasRunning];
    };
    expect(told(103)).toEqual(['Running · 2.0 s', true]);
    expect(told(168)).toEqual(['Running · 1 m 07 s', true]);
    const ended = statesFromColumns(structure, columns(1, [[FIRST, 'COMPLETED']]));
    expect(paintScene(recorder.context, scene({ states: ended })).hasRunning).toBe(false);
  });

  it('turns and pulses while it runs, unless motion is unwanted', () => {
    const drawn = (change: Partial<IScene>) => {
      recorder = new Recorder();
      paintScene(recorder.context, scene(change));
      return {
        arcs: recorder.calls.filter(([name]) => name === 'arc'),
        lines: recorder.linesOf(PALETTE.status.running).length
      };
    };
    expect(drawn({ now: 106.25 }).arcs).not.toEqual(drawn({ now: 106.5 }).arcs);
    const calm = drawn({ now: 106.25, hasMotion: false });
    expect(calm.arcs).toEqual(drawn({ now: 106.5, hasMotion: false }).arcs);
    expect(drawn({ now: 106.25 }).lines).toBe(calm.lines + 1);
  });

  it('that differs has a sign and an outline, a dashed one if only one side has it', () => {
    const marks = new Map<number, NodeMark>([
      [FIRST, 'differs'],
      [SECOND, 'added']
    ]);
    paintScene(recorder.context, scene({ marks, selected: FIRST }));
    expect(recorder.texts.filter(text => ['≠', '+', '−'].includes(text))).toEqual(['≠', '+']);
    const outlines = recorder.drawn.filter(
      ({ what, colour }) => what === 'stroke' && colour === PALETTE.mark
    );
    expect(outlines.map(({ dash }) => dash.length > 0)).toEqual([false, false, true, false]);
  });
});

describe('signs', () => {
  it('of statuses and of kinds have shapes of their own, whatever their colours', () => {
    const tones = [
      'pending',
      'queued',
      'running',
      'dispatching',
      'completed',
      'reused',
      'failed',
      'cancelled'
    ];
    const shapes = tones.map(tone => {
      recorder = new Recorder();
      drawStatusGlyph(recorder.context, tone, 0, 0, 10, PALETTE, 0);
      return JSON.stringify([recorder.calls, recorder.drawn.map(({ what }) => what)]);
    });
    expect(new Set(shapes).size).toBe(tones.length);
    const kinds = Object.values(KIND_PATHS);
    expect(new Set(kinds).size).toBe(kinds.length);
  });
});

describe('Screen', () => {
  /** A screen in a host with a size, which paints something that moves. */
  function shown(isCalm: boolean): { paints: () => number; screen: Screen } {
    vi.useFakeTimers({ toFake: [...FAKED] });
    let resize = () => undefined as void;
    vi.stubGlobal(
      'ResizeObserver',
      class {
        constructor(callback: () => void) {
          resize = callback;
        }
        observe(): void {
          /* the test says when */
        }
        disconnect(): void {
          /* nothing to stop */
        }
      }
    );
    vi.stubGlobal('matchMedia', () => ({ matches: isCalm }));
    const host = document.createElement('div');
    Object.defineProperty(host, 'clientWidth', { value: 300 });
    Object.defineProperty(host, 'clientHeight', { value: 200 });
    let count = 0;
    const screen = new Screen({
      host,
      paint: () => {
        count += 1;
        return true;
      },
      resized: () => undefined
    });
    screen.node.getContext = (() => recorder.context) as never;
    resize();
    return { paints: () => count, screen };
  }

  it('paints many times a second while something moves, and nothing after its end', () => {
    const { paints, screen } = shown(false);
    expect(paints()).toBe(1);
    vi.advanceTimersByTime(1000);
    expect(paints()).toBeGreaterThan(15);
    screen.dispose();
    const last = paints();
    vi.advanceTimersByTime(1000);
    expect(paints()).toBe(last);
  });

  it('paints once a second, for the clocks, where motion is unwanted', () => {
    const { paints, screen } = shown(true);
    vi.advanceTimersByTime(900);
    expect(paints()).toBe(1);
    vi.advanceTimersByTime(2200);
    expect(paints()).toBe(4);
    screen.dispose();
  });
});
