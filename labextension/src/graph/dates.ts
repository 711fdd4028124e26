/** Moments as people read them, with the names of months in the language of the page. */

import type { ITexts } from './style';

/** Texts of JupyterLab know their language; texts as written are English. */
type Language = ITexts & { getLocale?(): string };

const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
const DAY = { month: 'short', day: '2-digit' } as const;

/** `Nov 22, 10:57:31`, with the year unless it is this one; `-` where there is no time. */
export function formatTime(at: number | null | undefined, now: number, texts: Language): string {
  return format(at, texts, date => ({ ...DAY, ...CLOCK, ...yearOf(date, now) }));
}

/** The same for narrow places: the time today, the date before. */
export function formatMoment(at: number | null | undefined, now: number, texts: Language): string {
  return format(at, texts, date =>
    date.toDateString() === new Date(now * 1000).toDateString()
      ? CLOCK
      : { ...DAY, ...yearOf(date, now) }
  );
}

function yearOf(date: Date, now: number): Intl.DateTimeFormatOptions {
  return date.getFullYear() === new Date(now * 1000).getFullYear() ? {} : { year: 'numeric' };
}

function format(
  at: number | null | undefined,
  texts: Language,
  options: (date: Date) => Intl.DateTimeFormatOptions
): string {
  if (at === null || at === undefined || !Number.isFinite(at)) {
    return '-';
  }
  const date = new Date(at * 1000);
  return formatter(texts.getLocale?.() ?? 'en', options(date)).format(date);
}

/** Making one takes long beside using it, and tables have hundreds of times. */
function formatter(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + Object.keys(options).join();
  let made = formatters.get(key);
  if (made === undefined) {
    made = new Intl.DateTimeFormat(locale.replace('_', '-'), options);
    formatters.set(key, made);
  }
  return made;
}

const formatters = new Map<string, Intl.DateTimeFormat>();
