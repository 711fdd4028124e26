/** The whole graph as an SVG document, in the colours of the screen: for papers and slides. */

import { MARK_SIGNS } from '../../graph/marks';
import { FRAME_HEAD } from '../../graph/nesting';
import { statusName } from '../../graph/states';
import { nodeWord, statusTone } from '../../graph/style';
import { KIND_PATHS } from './glyphs';
import type { IScene } from './scene';
import { stackText } from './stackcard';
import type { Pen } from './trace';
import { traceArrow, traceEdge } from './trace';

const MARGIN = 16;
const LABEL_SIZE = 12.5;
/** The width of a letter in sizes; labels are cut by it, since a document cannot measure. */
const LETTER = 0.58;

/** The document as text. */
export function svgOf(scene: IScene): string {
  const { layout, palette, structure } = scene;
  const width = Math.ceil(layout.width + 2 * MARGIN);
  const height = Math.ceil(layout.height + 2 * MARGIN);
  const edges = [...layout.edges.keys()];
  const lines = new PathData();
  edges.forEach(edge => traceEdge(lines, layout, edge));
  const arrows = new PathData();
  edges.forEach(edge => traceArrow(arrows, layout, edge));
  const frames = [...layout.nodes].filter(id => scene.frames.has(id)).map(id => frame(scene, id));
  const cards = [...layout.nodes]
    .filter(id => !scene.frames.has(id))
    .map(id => card(scene, id) + mark(scene, id));
  const labels = scene.showEdgeLabels ? edges.map(edge => edgeLabel(scene, edge)) : [];
  const kinds = [...new Set(structure.kinds)].map(
    kind => `<path id="kind-${kind}" d="${KIND_PATHS[kind]}"/>`
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="${-MARGIN} ${-MARGIN} ${width} ${height}" font-family="${escaped(palette.font)}">`,
    `<defs>${kinds.join('')}</defs>`,
    `<rect x="${-MARGIN}" y="${-MARGIN}" width="100%" height="100%" fill="${palette.background}"/>`,
    ...frames,
    `<path d="${lines.text}" fill="none" stroke="${palette.edge}" stroke-width="1.3"/>`,
    `<path d="${arrows.text}" fill="${palette.edge}"/>`,
    ...cards,
    ...labels,
    '</svg>'
  ].join('\n');
}

/** Collects what is drawn as the data of an SVG path. */
export class PathData implements Pen {
  get text(): string {
    return this._parts.join('');
  }

  moveTo(x: number, y: number): void {
    this._add('M', x, y);
  }

  lineTo(x: number, y: number): void {
    this._add('L', x, y);
  }

  quadraticCurveTo(cx: number, cy: number, x: number, y: number): void {
    this._add('Q', cx, cy, x, y);
  }

  bezierCurveTo(ax: number, ay: number, bx: number, by: number, x: number, y: number): void {
    this._add('C', ax, ay, bx, by, x, y);
  }

  closePath(): void {
    this._add('Z');
  }

  private _add(command: string, ...numbers: number[]): void {
    this._parts.push(command, numbers.map(rounded).join(' '));
  }

  private readonly _parts: string[] = [];
}

function card(scene: IScene, id: number): string {
  const { layout, palette, structure, states, texts } = scene;
  const width = layout.nodeWidth[id];
  const height = layout.nodeHeight[id];
  const left = layout.x[id] - width / 2;
  const top = layout.y[id] - height / 2;
  const isPill = structure.kinds[id] === 'parameter';
  const tone = scene.isLive && !isPill ? statusTone(statusName(states.status[id])) : 'pending';
  const colour = tone === 'pending' ? palette.border : palette.status[tone];
  const counts = scene.counts?.get(id);
  const frame =
    `<rect x="${rounded(left)}" y="${rounded(top)}" width="${rounded(width)}" height="${rounded(height)}" ` +
    `rx="${isPill ? height / 2 : 9}" fill="${isPill ? palette.cardMuted : palette.card}" ` +
    `stroke="${colour}" stroke-width="1.4"/>`;
  const title = `<title>${escaped(structure.names[id])}</title>`;
  if (isPill) {
    const label = cut(structure.labels[id], width - 16, 11);
    return `<g>${title}${frame}${text(label, layout.x[id], layout.y[id] + 4, 11, palette.textMuted, 'middle')}</g>`;
  }
  const node = scene.nodeOf(id);
  const word = !scene.isLive
    ? ''
    : counts !== undefined
      ? stackText(counts, texts)
      : nodeWord(states, id, texts);
  const place = `${structure.executors[id]} ${node === null ? '' : `#${node}`}`.trim();
  const isLow = height < 32;
  const line = isLow ? layout.y[id] + 4 : top + height * 0.42;
  return [
    `<g>${title}${frame}`,
    `<use href="#kind-${structure.kinds[id]}" transform="translate(${rounded(left + 8)} ${rounded(line - 10.5)}) scale(0.75)" ` +
      `fill="none" stroke="${palette.textMuted}" stroke-width="1.5"/>`,
    text(
      cut(structure.labels[id], width - 34, LABEL_SIZE),
      left + 26,
      line,
      LABEL_SIZE,
      palette.text
    ),
    isLow ? '' : text(word, left + 10, top + height * 0.8, 10.5, colour),
    isLow ? '' : text(place, left + width - 10, top + height * 0.8, 10.5, palette.textMuted, 'end'),
    '</g>'
  ].join('');
}

/** The frame of an unfolded sublattice, with its name above what is in it. */
function frame(scene: IScene, id: number): string {
  const { layout, palette, structure, states, texts } = scene;
  const [width, height] = [layout.nodeWidth[id], layout.nodeHeight[id]];
  const [left, top] = [layout.x[id] - width / 2, layout.y[id] - height / 2];
  const colour = palette.status[statusTone(statusName(states.status[id]))];
  const label = cut(structure.labels[id], 0.6 * width, LABEL_SIZE);
  return [
    `<g><title>${escaped(structure.names[id])}</title>`,
    `<rect x="${rounded(left)}" y="${rounded(top)}" width="${rounded(width)}" height="${rounded(height)}" ` +
      `rx="12" fill="${palette.background}" stroke="${colour}" stroke-width="1.4"/>`,
    text(label, left + 14, top + FRAME_HEAD / 2 + 4, LABEL_SIZE, palette.text),
    text(
      nodeWord(states, id, texts),
      left + width - 14,
      top + FRAME_HEAD / 2 + 4,
      11,
      colour,
      'end'
    ),
    '</g>'
  ].join('');
}

/** What is different about a node, as on the canvas. */
function mark(scene: IScene, id: number): string {
  const { layout, palette } = scene;
  const found = scene.marks?.get(id);
  if (found === undefined) {
    return '';
  }
  const [width, height] = [layout.nodeWidth[id] + 6, layout.nodeHeight[id] + 6];
  const [left, top] = [layout.x[id] - width / 2, layout.y[id] - height / 2];
  const outline = `stroke="${palette.mark}" stroke-width="2"`;
  const dash = found === 'differs' ? '' : ' stroke-dasharray="6 4"';
  return [
    `<rect x="${rounded(left)}" y="${rounded(top)}" width="${rounded(width)}" height="${rounded(height)}" ` +
      `rx="10" fill="none" ${outline}${dash}/>`,
    `<circle cx="${rounded(left)}" cy="${rounded(top)}" r="8.5" fill="${palette.card}" ${outline}/>`,
    text(MARK_SIGNS[found], left, top + 4.5, 13, palette.text, 'middle')
  ].join('');
}

function edgeLabel(scene: IScene, edge: number): string {
  const { layout, structure, palette } = scene;
  const last = layout.pointStart[edge + 1] - 1;
  const middle = (axis: number) =>
    (layout.points[2 * last + axis] + layout.points[2 * (last - 1) + axis]) / 2;
  const label = structure.edgeLabels[layout.edges[edge]];
  return text(cut(label, 110, 10), middle(0), middle(1), 10, palette.textMuted, 'middle');
}

function text(
  label: string,
  x: number,
  y: number,
  size: number,
  colour: string,
  anchor: 'start' | 'middle' | 'end' = 'start'
): string {
  return (
    `<text x="${rounded(x)}" y="${rounded(y)}" font-size="${size}" fill="${colour}" ` +
    `text-anchor="${anchor}">${escaped(label)}</text>`
  );
}

function cut(label: string, width: number, size: number): string {
  const fitting = Math.max(1, Math.floor(width / (size * LETTER)));
  return label.length > fitting ? `${label.slice(0, fitting - 1)}…` : label;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(label: string): string {
  return label
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}
