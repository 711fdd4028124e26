/** Parts of tables whose rows the server sorts and cuts into pages. */

import type { JSX } from 'react';

import type { ITexts } from '../../graph/style';

/** An order of rows. */
export interface IOrder<K extends string> {
  readonly sort: K;
  readonly direction: 'asc' | 'desc';
}

/** A column; without `sort` it cannot be sorted by. */
export interface ISortColumn<K extends string> {
  readonly label: string;
  readonly sort?: K;
  /** Direction of the first click, if not upwards. */
  readonly first?: 'asc' | 'desc';
}

/** The head of a column; a click sorts by it, another one turns the order round. */
export function SortHeader<K extends string>(props: {
  column: ISortColumn<K>;
  order: IOrder<K>;
  show: (order: IOrder<K>) => void;
}): JSX.Element {
  const { label, sort, first = 'asc' } = props.column;
  if (sort === undefined) {
    return <th scope="col">{label}</th>;
  }
  const direction = props.order.sort === sort ? props.order.direction : null;
  const next = direction === null ? first : direction === 'asc' ? 'desc' : 'asc';
  return (
    <th
      scope="col"
      aria-sort={direction === null ? 'none' : direction === 'asc' ? 'ascending' : 'descending'}
    >
      <button
        type="button"
        className="cvl-Table-sort"
        onClick={() => props.show({ sort, direction: next })}
      >
        {label}
        <span aria-hidden="true">
          {direction === null ? '' : direction === 'asc' ? ' ▲' : ' ▼'}
        </span>
      </button>
    </th>
  );
}

/** Goes from page to page; not there if there is only one. */
export function Pager(props: {
  page: number;
  pages: number;
  texts: ITexts;
  show: (page: number) => void;
}): JSX.Element | null {
  const { page, pages, texts, show } = props;
  if (pages <= 1) {
    return null;
  }
  const targets: [string, string, number, boolean][] = [
    ['«', texts.__('First page'), 0, page > 0],
    ['‹', texts.__('Previous page'), page - 1, page > 0],
    ['›', texts.__('Next page'), page + 1, page < pages - 1],
    ['»', texts.__('Last page'), pages - 1, page < pages - 1]
  ];
  const button = ([sign, label, target, isPossible]: (typeof targets)[number]) => (
    <button
      key={label}
      type="button"
      className="cvl-Button"
      title={label}
      aria-label={label}
      disabled={!isPossible}
      onClick={() => show(target)}
    >
      {sign}
    </button>
  );
  return (
    <nav className="cvl-Pager" aria-label={texts.__('Pages')}>
      {targets.slice(0, 2).map(button)}
      <span>{texts.__('Page %1 of %2', page + 1, pages)}</span>
      {targets.slice(2).map(button)}
    </nav>
  );
}
