/** One key of the configuration, with the control that fits its type. */

import type { JSX } from 'react';
import { useState } from 'react';

import type { ConfigField } from '../../contract';
import type { ITexts } from '../../graph/style';

/** A label, a control, and why it cannot be changed if so. */
export function SettingField(props: {
  field: ConfigField;
  value: unknown;
  texts: ITexts;
  enter: (value: unknown) => void;
}): JSX.Element {
  const { field, texts } = props;
  const id = `cvl-setting-${field.name}`;
  const notes = [
    field.is_read_only ? texts.__('Read only') : '',
    field.variable !== '' ? texts.__('Set by the environment variable %1', field.variable) : '',
    field.is_secret && field.is_set ? texts.__('A value is kept; type to replace it') : ''
  ].filter(Boolean);
  return (
    <div className={`cvl-Form-field${field.type === 'boolean' ? ' cvl-mod-check' : ''}`}>
      <label htmlFor={id}>{field.name.slice(field.section.length + 1)}</label>
      <Control
        {...props}
        id={id}
        noteId={notes.length > 0 ? `${id}-note` : undefined}
        isDisabled={field.is_read_only || field.variable !== ''}
      />
      {notes.length > 0 && (
        <span id={`${id}-note`} className="cvl-Muted">
          {notes.join(' · ')}
        </span>
      )}
    </div>
  );
}

function Control(props: {
  field: ConfigField;
  value: unknown;
  enter: (value: unknown) => void;
  id: string;
  noteId: string | undefined;
  isDisabled: boolean;
}): JSX.Element {
  const { field, value, enter } = props;
  const common = {
    id: props.id,
    disabled: props.isDisabled,
    'aria-describedby': `${props.id}-note`
  };
  if (field.type === 'boolean') {
    return (
      <input
        {...common}
        type="checkbox"
        checked={value === true}
        onChange={event => enter(event.target.checked)}
      />
    );
  }
  if (field.choices.length > 0) {
    return (
      <select {...common} value={String(value)} onChange={event => enter(event.target.value)}>
        {field.choices.map(choice => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    );
  }
  if (field.type === 'json') {
    return <JsonControl {...common} value={value} enter={enter} />;
  }
  const isNumber = field.type === 'integer' || field.type === 'number';
  return (
    <input
      {...common}
      type={field.is_secret ? 'password' : isNumber ? 'number' : 'text'}
      step={field.type === 'number' ? 'any' : undefined}
      autoComplete="off"
      value={value === null || value === undefined ? '' : String(value)}
      onChange={event => {
        const text = event.target.value;
        enter(isNumber && text !== '' ? Number(text) : text);
      }}
    />
  );
}

/** A text is entered only while it is JSON; what it says is not lost meanwhile. */
function JsonControl(props: {
  id: string;
  disabled: boolean;
  'aria-describedby': string | undefined;
  value: unknown;
  enter: (value: unknown) => void;
}): JSX.Element {
  const { value, enter, ...common } = props;
  const [text, setText] = useState(JSON.stringify(value));
  const [isWrong, setWrong] = useState(false);
  return (
    <textarea
      {...common}
      rows={1}
      value={text}
      aria-invalid={isWrong}
      onChange={event => {
        setText(event.target.value);
        try {
          enter(JSON.parse(event.target.value));
          setWrong(false);
        } catch {
          setWrong(true);
        }
      }}
    />
  );
}
