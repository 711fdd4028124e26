/** What a task needs around its function: shell commands, packages, and calls before and after it. */

import type { JSX } from 'react';

import type { ITexts } from '../../graph/style';

/** One kind of dependency with its lines. */
export interface IDependency {
  readonly kind: 'bash' | 'pip' | 'module' | 'before' | 'after' | 'other';
  readonly lines: readonly string[];
}

/** The dependencies among the hooks of a node, in the form in which electrons write them. */
export function dependenciesOf(hooks: Readonly<Record<string, unknown>>): IDependency[] {
  const { deps, call_before: before, call_after: after } = hooks;
  const found: IDependency[] = [];
  for (const [name, form] of Object.entries(record(deps))) {
    const attributes = record(record(form).attributes);
    if (name === 'bash') {
      found.push({ kind: 'bash', lines: texts(attributes.commands) });
    } else if (name === 'pip') {
      const more = String(attributes.requirements_content ?? '').split('\n');
      found.push({ kind: 'pip', lines: [...texts(attributes.packages), ...more].filter(Boolean) });
    } else {
      found.push({ kind: name === 'module' ? 'module' : 'other', lines: [name] });
    }
  }
  for (const [kind, calls] of [
    ['before', before],
    ['after', after]
  ] as const) {
    const lines = (Array.isArray(calls) ? calls : []).map(callText);
    if (lines.length > 0) {
      found.push({ kind, lines });
    }
  }
  return found.filter(({ lines }) => lines.length > 0);
}

/** Dependencies with a title each. */
export function Dependencies(props: {
  dependencies: readonly IDependency[];
  texts: ITexts;
}): JSX.Element {
  const { texts } = props;
  const titles: Record<IDependency['kind'], string> = {
    bash: texts.__('Shell commands'),
    pip: texts.__('Packages'),
    module: texts.__('Modules'),
    before: texts.__('Called before'),
    after: texts.__('Called after'),
    other: texts.__('Others')
  };
  return (
    <>
      {props.dependencies.map(({ kind, lines }) => (
        <div key={kind}>
          <h4>{titles[kind]}</h4>
          <pre className="cvl-Code" tabIndex={0}>
            {lines.join('\n')}
          </pre>
        </div>
      ))}
    </>
  );
}

/** `name(args)` of a call, from the texts that travel beside its pickles. */
function callText(form: unknown): string {
  const attributes = record(record(form).attributes);
  const text = (key: string) => {
    const value = record(record(attributes[key]).attributes);
    return typeof value._object_string === 'string' ? value._object_string : '';
  };
  const header = record(record(record(attributes.apply_fn).attributes)._header);
  const { name } = record(header.attrs);
  const given = [text('apply_args'), text('apply_kwargs')].filter(
    value => !['', '[]', '()', '{}'].includes(value)
  );
  return `${typeof name === 'string' ? name : text('apply_fn')}(${given.join(', ')})`;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
