/** An executor's name and settings. */

import type { JSX } from 'react';

import type { ITexts } from '../../graph/style';
import { Facts, Section } from './fields';

/** A section with one line a setting; secrets never reach the page. */
export function ExecutorSection(props: {
  title: string;
  name: string;
  data: unknown;
  texts: ITexts;
}): JSX.Element | null {
  const settings = executorSettings(props.data);
  if (props.name === '') {
    return null;
  }
  return (
    <Section title={`${props.title}: ${props.name}`} isClosed>
      {settings.length > 0 ? (
        <Facts rows={settings} />
      ) : (
        <p className="cvl-Muted">{props.texts.__('Its defaults, as the settings have them.')}</p>
      )}
    </Section>
  );
}

/** Names and values of an executor's settings, in the form that `to_dict()` writes. */
export function executorSettings(data: unknown): [string, string][] {
  const attributes = (data as { attributes?: unknown } | null)?.attributes;
  if (typeof attributes !== 'object' || attributes === null) {
    return [];
  }
  return Object.entries(attributes).map(([key, value]) => [
    key,
    typeof value === 'string' ? value || '""' : JSON.stringify(value)
  ]);
}
