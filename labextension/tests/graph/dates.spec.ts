import { render } from '@testing-library/react';
import { createElement } from 'react';
import { describe, expect, it } from 'vitest';

import { formatMoment, formatTime } from '../../src/graph/dates';
import { plainTexts } from '../../src/graph/style';
import { Time } from '../../src/widgets/parts';

const seconds = (...date: [number, number, number, number, number, number]) =>
  new Date(...date).getTime() / 1000;
const NOW = seconds(2026, 10, 22, 23, 0, 0);
const TODAY = seconds(2026, 10, 22, 10, 57, 31);
const EARLIER = seconds(2026, 2, 4, 0, 5, 9);
const LAST_YEAR = seconds(2025, 11, 31, 23, 59, 59);

describe('formatTime', () => {
  it('names month, day and time of day, and the year where it is another', () => {
    expect([TODAY, EARLIER, LAST_YEAR].map(at => formatTime(at, NOW, plainTexts))).toEqual([
      'Nov 22, 10:57:31',
      'Mar 04, 00:05:09',
      'Dec 31, 2025, 23:59:59'
    ]);
  });

  it.each([null, undefined, NaN])('shows a dash for %s', at => {
    expect([formatTime(at, NOW, plainTexts), formatMoment(at, NOW, plainTexts)]).toEqual([
      '-',
      '-'
    ]);
  });

  it('names months in the language of the texts', () => {
    const german = { ...plainTexts, getLocale: () => 'de_DE' };
    expect(formatTime(EARLIER, NOW, german)).toBe('04. März, 00:05:09');
  });
});

it('formatMoment shows the time today and the date before', () => {
  expect([TODAY, EARLIER, LAST_YEAR].map(at => formatMoment(at, NOW, plainTexts))).toEqual([
    '10:57:31',
    'Mar 04',
    'Dec 31, 2025'
  ]);
});

describe('Time', () => {
  const shown = (at: number | null) =>
    render(createElement(Time, { at, now: NOW, texts: plainTexts })).container.firstElementChild;

  it('has the whole time as its tooltip', () => {
    expect(shown(1_700_000_000)?.getAttribute('title')).toBe('2023-11-14T22:13:20.000Z');
  });

  it('has none where there is no time', () => {
    expect([shown(null)?.textContent, shown(null)?.hasAttribute('title')]).toEqual(['-', false]);
  });
});
