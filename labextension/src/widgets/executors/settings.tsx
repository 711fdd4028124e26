/** The form of an executor's settings: sends what was changed, and keeps what was typed until it was taken. */

import type { FormEvent, JSX } from 'react';
import { useState } from 'react';

import type { ExecutorSetting, ExecutorView } from '../../contract';
import type { ITexts } from '../../graph/style';
import { readSetting, settingText, textOf, type ExecutorsModel } from '../../model';

interface IFormProps {
  view: ExecutorView;
  model: ExecutorsModel;
  texts: ITexts;
  isBusy: boolean;
}

/** The form. */
export function SettingsForm(props: IFormProps): JSX.Element {
  const { view, model, texts } = props;
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [isSaved, setSaved] = useState(false);
  const type = (name: string, text: string) => {
    setTyped({ ...typed, [name]: text });
    setSaved(false);
  };
  const changed = view.settings.filter(
    setting => setting.name in typed && typed[setting.name] !== shownText(setting)
  );
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const values: Record<string, unknown> = {};
    const wrong: Record<string, string> = {};
    for (const setting of changed) {
      try {
        values[setting.name] = readSetting(setting, typed[setting.name]);
      } catch {
        wrong[setting.name] = wanted(setting, texts);
      }
    }
    setErrors(wrong);
    if (Object.keys(wrong).length === 0 && (await model.configure(view.name, values))) {
      setTyped({});
      setSaved(true);
    }
  };
  return (
    <form className="cvl-Form" onSubmit={event => void save(event)}>
      {view.settings.map(setting => (
        <SettingField
          key={setting.name}
          id={`cvl-setting-${view.name}-${setting.name}`}
          setting={setting}
          text={typed[setting.name] ?? shownText(setting)}
          error={errors[setting.name] ?? ''}
          texts={texts}
          type={text => type(setting.name, text)}
        />
      ))}
      <div className="cvl-Executor-actions">
        <button
          type="submit"
          className="cvl-Button"
          disabled={props.isBusy || changed.length === 0}
        >
          {texts.__('Save settings')}
        </button>
        <span role="status">{isSaved && texts.__('Saved.')}</span>
      </div>
    </form>
  );
}

/** What the field shows before anybody types: nothing where the default holds. */
function shownText(setting: ExecutorSetting): string {
  return setting.is_set ? settingText(setting) : '';
}

function SettingField(props: {
  id: string;
  setting: ExecutorSetting;
  text: string;
  error: string;
  texts: ITexts;
  type: (text: string) => void;
}): JSX.Element {
  const { id, setting, text, error, texts, type } = props;
  const standard = textOf(setting.default);
  const described = [`${id}-doc`, ...(error === '' ? [] : [`${id}-error`])].join(' ');
  const shared = {
    id,
    value: text,
    'aria-describedby': described,
    'aria-invalid': error !== ''
  };
  return (
    <div className="cvl-Form-field">
      <label htmlFor={id}>{setting.name}</label>
      {setting.kind === 'flag' ? (
        <select {...shared} onChange={event => type(event.target.value)}>
          <option value="">{texts.__('default (%1)', standard)}</option>
          <option value="true">{texts.__('yes')}</option>
          <option value="false">{texts.__('no')}</option>
        </select>
      ) : (
        <input
          {...shared}
          type="text"
          spellCheck={false}
          autoComplete="off"
          placeholder={setting.kind === 'secret' ? texts.__('env:NAME') : standard}
          onChange={event => type(event.target.value)}
        />
      )}
      <span id={`${id}-doc`} className="cvl-Muted">
        {setting.doc}
        {setting.kind === 'secret' && ` ${texts.__('The name of an environment variable.')}`}
      </span>
      {error !== '' && (
        <p id={`${id}-error`} className="cvl-ErrorText" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

function wanted(setting: ExecutorSetting, texts: ITexts): string {
  switch (setting.kind) {
    case 'number':
      return texts.__('Write a number.');
    case 'list':
      return texts.__('Write a list, as ["a", "b"].');
    default:
      return texts.__('Write an object, as {"name": 1}.');
  }
}
