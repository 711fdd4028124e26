/** Tabs that the arrow keys move between. */

import type { JSX, ReactNode } from 'react';

/** One tab. */
export interface ITab<K extends string> {
  readonly key: K;
  readonly label: ReactNode;
}

/** A list of tabs; exactly one is chosen. */
export function TabList<K extends string>(props: {
  tabs: readonly ITab<K>[];
  chosen: K;
  label: string;
  choose: (key: K) => void;
}): JSX.Element {
  const { tabs, chosen, choose } = props;
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step !== 0) {
      const at = tabs.findIndex(({ key }) => key === chosen);
      const next = (at + step + tabs.length) % tabs.length;
      choose(tabs[next].key);
      (event.currentTarget.children[next] as HTMLElement).focus();
      event.preventDefault();
    }
  };
  return (
    <div className="cvl-Tabs" role="tablist" aria-label={props.label} onKeyDown={onKeyDown}>
      {tabs.map(({ key, label }) => (
        <button
          key={key}
          type="button"
          role="tab"
          aria-selected={key === chosen}
          tabIndex={key === chosen ? 0 : -1}
          className="cvl-Tab"
          onClick={() => choose(key)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
