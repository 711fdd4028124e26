/** Tables, and ways through those whose rows the server sorts and cuts into pages. */

import type { JSX, ReactNode } from 'react';

import type { ITexts } from '../../graph/style';

/** An order of rows. */
export interface IOrder<K extends string> {
  readonly sort: K;
  readonly direction: 'asc' | 'desc';
}

/** A column; without `sort` it cannot be sorted by. */
export interface IColumn<K extends string = never> {
  readonly label: string;
  /** What the label leaves open. */
  readonly title?: string;
  readonly sort?: K;
  /** Direction of the first click, if not upwards. */
  readonly first?: 'asc' | 'desc';
}

/** The order that a table shows, and what a click on the head of a column asks for. */
interface ISorting<K extends string> {
  order?: IOrder<K>;
  sortBy?: (order: IOrder<K>) => void;
}

/** A table with a name and a head; its rows are the children. */
export function Table<K extends string = never>(
  props: ISorting<K> & {
    /** Told to screen readers. */
    caption: string;
    columns: readonly IColumn<K>[];
    className?: string;
    isBusy?: boolean;
    /** Heads of columns that come before the others. */
    before?: ReactNode;
    children: ReactNode;
  }
): JSX.Element {
  return (
    <table className={`cvl-Table ${props.className ?? ''}`.trim()} aria-busy={props.isBusy}>
      <caption className="cvl-visuallyHidden">{props.caption}</caption>
      <thead>
        <tr>
          {props.before}
          {props.columns.map(column => (
            <Head key={column.label} column={column} order={props.order} sortBy={props.sortBy} />
          ))}
        </tr>
      </thead>
      <tbody>{props.children}</tbody>
    </table>
  );
}

/** The head of a column; a click sorts by it, another one turns the order round. */
function Head<K extends string>(props: ISorting<K> & { column: IColumn<K> }): JSX.Element {
  const { order, sortBy } = props;
  const { label, title, sort, first = 'asc' } = props.column;
  if (sort === undefined) {
    return (
      <th scope="col" title={title}>
        {label}
      </th>
    );
  }
  const direction = order?.sort === sort ? order.direction : null;
  const next = direction === null ? first : direction === 'asc' ? 'desc' : 'asc';
  return (
    <th
      scope="col"
      title={title}
      aria-sort={direction === null ? 'none' : direction === 'asc' ? 'ascending' : 'descending'}
    >
      <button
        type="button"
        className="cvl-Table-sort"
        onClick={() => sortBy?.({ sort, direction: next })}
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
  show: (page: number) => unknown;
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
