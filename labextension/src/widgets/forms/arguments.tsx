/** The form in which the arguments of a dispatch are changed before it runs again. */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

import type { ITexts } from '../../graph/style';

/** One argument. */
export interface IField {
  readonly name: string;
  /** The value as a literal; empty if it has none. */
  readonly text: string;
  /** The value for eyes. */
  readonly summary: string;
}

/** What was entered. */
export interface IArguments {
  /** Texts of the fields that were changed, by name. */
  readonly changes: Readonly<Record<string, string>>;
  readonly reusesResults: boolean;
}

/** What the kernel says of the texts. */
export interface IChecked {
  readonly values: Readonly<Record<string, string>>;
  readonly errors: Readonly<Record<string, string>>;
}

/** Asks for arguments until all that were entered are values; null if the form was left. */
export async function editArguments(options: {
  name: string;
  fields: readonly IField[];
  texts: ITexts;
  check: (changes: Readonly<Record<string, string>>) => Promise<IChecked>;
}): Promise<IArguments | null> {
  const { fields, texts } = options;
  let entered: IArguments = { changes: {}, reusesResults: false };
  let errors: IChecked['errors'] = {};
  for (;;) {
    const answer = await showDialog({
      title: texts.__('Run %1 with other arguments', options.name),
      body: new ArgumentsBody({ fields, texts, entered, errors }),
      buttons: [
        Dialog.cancelButton({ label: texts.__('Cancel') }),
        Dialog.okButton({ label: texts.__('Run') })
      ]
    });
    if (!answer.button.accept || answer.value === null) {
      return null;
    }
    entered = answer.value;
    const checked = await options.check(entered.changes);
    if (Object.keys(checked.errors).length === 0) {
      return { ...entered, changes: checked.values };
    }
    errors = checked.errors;
  }
}

/** The body of the dialog. */
export class ArgumentsBody extends ReactWidget implements Dialog.IBodyWidget<IArguments> {
  constructor(options: {
    fields: readonly IField[];
    texts: ITexts;
    entered: IArguments;
    errors: Readonly<Record<string, string>>;
  }) {
    super();
    this._options = options;
    this._values = new Map(Object.entries(options.entered.changes));
    this._reusesResults = options.entered.reusesResults;
    this.addClass('cvl-Form');
  }

  /** Fields that differ from what they showed first. */
  getValue(): IArguments {
    const changed = this._options.fields
      .map(({ name, text }) => [name, this._values.get(name) ?? text, text] as const)
      .filter(([, value, text]) => value.trim() !== text && value.trim() !== '')
      .map(([name, value]) => [name, value] as const);
    return { changes: Object.fromEntries(changed), reusesResults: this._reusesResults };
  }

  protected render(): JSX.Element {
    const { fields, texts, errors } = this._options;
    return (
      <>
        <p className="cvl-Muted">
          {fields.length === 0
            ? texts.__('The workflow takes no arguments.')
            : texts.__(
                'Write Python or JSON. What stays as it is keeps its value. A cell that runs it is put into your notebook.'
              )}
        </p>
        {fields.map(field => (
          <Field
            key={field.name}
            field={field}
            value={this._values.get(field.name) ?? field.text}
            error={errors[field.name] ?? ''}
            change={value => this._values.set(field.name, value)}
          />
        ))}
        <label className="cvl-Form-check">
          <input
            type="checkbox"
            defaultChecked={this._reusesResults}
            onChange={event => {
              this._reusesResults = event.target.checked;
            }}
          />
          {texts.__('Take over results that the changes do not affect')}
        </label>
      </>
    );
  }

  private readonly _options: {
    fields: readonly IField[];
    texts: ITexts;
    errors: Readonly<Record<string, string>>;
  };
  private readonly _values: Map<string, string>;
  private _reusesResults: boolean;
}

function Field(props: {
  field: IField;
  value: string;
  error: string;
  change: (value: string) => void;
}): JSX.Element {
  const { field, error } = props;
  const id = `cvl-field-${field.name}`;
  return (
    <div className="cvl-Form-field">
      <label htmlFor={id}>{field.name}</label>
      <textarea
        id={id}
        rows={Math.min(6, props.value.split('\n').length)}
        spellCheck={false}
        defaultValue={props.value}
        placeholder={field.summary}
        aria-invalid={error !== ''}
        aria-describedby={error === '' ? undefined : `${id}-error`}
        onChange={event => props.change(event.target.value)}
      />
      {error !== '' && (
        <p id={`${id}-error`} className="cvl-ErrorText" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
