import { renderToStaticMarkup } from 'react-dom/server';
import { createElement } from 'react';
import { describe, expect, it } from 'vitest';

import source from '../../../covalent_lab/client/status.py?raw';
import { NODE_STATUSES } from '../../src/contract';
import {
  formatDuration,
  formatRunning,
  formatSize,
  plainTexts,
  runTime,
  statusTone,
  statusWord
} from '../../src/graph/style';
import { readPalette } from '../../src/widgets/dagview/palette';
import { StatusIcon } from '../../src/widgets/parts';
import colours from '../../style/graph.css?raw';

const SHOWN = {
  NEW_OBJECT: ['Pending', 'pending'],
  STARTING: ['Starting', 'queued'],
  RUNNING: ['Running', 'running'],
  COMPLETED: ['Completed', 'completed'],
  FAILED: ['Failed', 'failed'],
  CANCELLED: ['Cancelled', 'cancelled'],
  DISPATCHING: ['Dispatching', 'dispatching'],
  PENDING_REUSE: ['Pending reuse', 'queued'],
  PENDING_REPLACEMENT: ['Pending replacement', 'queued'],
  PENDING_POSTPROCESSING: ['Pending postprocessing', 'queued'],
  POSTPROCESSING: ['Postprocessing', 'running'],
  POSTPROCESSING_FAILED: ['Postprocessing failed', 'failed']
};
const STATUSES = Object.keys(SHOWN);

describe('a status', () => {
  it('is known here if programs or the server name it', () => {
    const named = [...source.matchAll(/^ {4}[A-Z_]+ = "([A-Z_]+)"/gm)].map(([, name]) => name);
    expect(new Set(STATUSES)).toEqual(new Set([...named, ...NODE_STATUSES]));
  });

  it.each(Object.entries(SHOWN))('%s has its word and tone', (status, shown) => {
    expect([statusWord(status, plainTexts), statusTone(status)]).toEqual(shown);
  });

  it('that nobody knows yet shows its name', () => {
    expect(statusWord('SENT_TO_MARS', plainTexts)).toBe('Sent to mars');
  });

  it.each(STATUSES)('%s has a sign with its word, and a colour on page and canvas', status => {
    const tone = statusTone(status);
    const sign = renderToStaticMarkup(createElement(StatusIcon, { status, texts: plainTexts }));
    expect(sign).toContain(`<title>${statusWord(status, plainTexts)}</title>`);
    expect(sign).toMatch(/<(circle|path)/);
    expect(colours).toContain(`.cvl-tone-${tone}`);
    expect(readPalette(document.body).status[tone]).toBeTruthy();
  });

  it('differs from others by more than colour', () => {
    const shapes = new Map(
      STATUSES.map(status => [
        statusTone(status),
        renderToStaticMarkup(createElement(StatusIcon, { status, texts: plainTexts })).replace(
          /^.*<\/title>/,
          ''
        )
      ])
    );
    expect(new Set(shapes.values()).size).toBe(shapes.size);
  });
});

describe('a run time', () => {
  it.each([
    [0, '0 ms'],
    [0.42, '420 ms'],
    [0.9994, '999 ms'],
    [1, '1.0 s'],
    [59.94, '59.9 s'],
    [59.96, '1 m 00 s'],
    [245, '4 m 05 s'],
    [3599.6, '1 h 00 m'],
    [7620, '2 h 07 m'],
    [86_399, '23 h 59 m'],
    [86_400, '1 d 0 h'],
    [273_600, '3 d 4 h'],
    [-1, ''],
    [NaN, '']
  ])('of %d seconds is %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it('counts whole seconds while it goes on', () => {
    expect([0.4, 59.96, 245].map(seconds => formatRunning(seconds, true))).toEqual([
      '0 s',
      '59 s',
      '4 m 05 s'
    ]);
  });

  it('is a dash in fields before it has begun', () => {
    expect([runTime(null, true), runTime(3, true), runTime(3, false)]).toEqual([
      '-',
      '3 s',
      '3.0 s'
    ]);
  });
});

it.each([
  [312, '312 B'],
  [4_100, '4.1 kB'],
  [80_000_000, '80 MB'],
  [2_000_000_000_000, '2000 GB'],
  [NaN, '']
])('a size of %d bytes is %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));
