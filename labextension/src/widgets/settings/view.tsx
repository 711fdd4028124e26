/** The configuration file as forms: what clients use, and what the server does. */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { Message } from '@lumino/messaging';
import type { JSX } from 'react';
import { useState } from 'react';

import type { ConfigField } from '../../contract';
import type { ITexts } from '../../graph/style';
import type { ConfigModel } from '../../model';
import {
  Announcement,
  ComponentWidget,
  MiddleText,
  Notice,
  Section,
  TabList,
  useSignal
} from '../parts';
import { SettingField } from './field';

interface ISettingsOptions {
  model: ConfigModel;
  texts: ITexts;
}

type Side = 'client' | 'server';

/** Sections that clients read; the others are the server's. */
const CLIENT: readonly string[] = ['sdk', 'executors'];

/** The forms as a widget that is not left with unsaved changes unasked. */
export class SettingsView extends ComponentWidget<ISettingsOptions> {
  constructor(options: ISettingsOptions) {
    super(Settings, options, 'cvl-Settings');
  }

  get isDirty(): boolean {
    return this.props.model.isDirty;
  }

  /** Asks whether changes may be lost, if there are some; true if it may be closed. */
  async mayClose(): Promise<boolean> {
    const { texts } = this.props;
    if (!this.isDirty) {
      return true;
    }
    const answer = await showDialog({
      title: texts.__('Leave without saving?'),
      body: texts.__('Changes of the settings are not saved.'),
      buttons: [
        Dialog.cancelButton({ label: texts.__('Stay') }),
        Dialog.warnButton({ label: texts.__('Discard changes') })
      ]
    });
    return answer.button.accept;
  }

  protected onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    window.addEventListener('beforeunload', this._onUnload);
  }

  protected onBeforeDetach(msg: Message): void {
    window.removeEventListener('beforeunload', this._onUnload);
    super.onBeforeDetach(msg);
  }

  private readonly _onUnload = (event: BeforeUnloadEvent): void => {
    if (this.isDirty) {
      event.preventDefault();
    }
  };
}

/** Tabs, search, forms, buttons. */
export function Settings(props: ISettingsOptions): JSX.Element {
  const { model, texts } = props;
  useSignal(model.changed);
  const [side, setSide] = useState<Side>('client');
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const found = model.fields.filter(field => field.name.toLowerCase().includes(wanted));
  const of = (which: Side) =>
    found.filter(field => CLIENT.includes(field.section) === (which === 'client'));
  const groups = groupsOf(of(side));
  return (
    <div className="cvl-Page">
      <div className="cvl-Settings-head">
        <h2>{texts.__('Settings of Covalent')}</h2>
        <MiddleText text={model.path} tail={16} />
      </div>
      <div className="cvl-Page-tools">
        <div className="cvl-Dispatches-search">
          <input
            type="search"
            placeholder={texts.__('Search settings')}
            aria-label={texts.__('Search settings')}
            value={search}
            onChange={event => setSearch(event.target.value)}
          />
          <Announcement text={wanted === '' ? '' : texts.__('%1 found', found.length)} />
        </div>
        <TabList
          tabs={[
            { key: 'client', label: texts.__('Client (%1)', of('client').length) },
            { key: 'server', label: texts.__('Server (%1)', of('server').length) }
          ]}
          chosen={side}
          label={texts.__('Whose settings')}
          choose={setSide}
        />
        <span className="cvl-Header-space" />
        <button
          type="button"
          className="cvl-Button"
          disabled={!model.isDirty}
          onClick={() => model.revert()}
        >
          {texts.__('Cancel')}
        </button>
        <button
          type="button"
          className="cvl-Button cvl-mod-primary"
          disabled={!model.isDirty}
          onClick={() => void model.save()}
        >
          {texts.__('Save')}
        </button>
      </div>
      <Notice
        message={model.error}
        texts={texts}
        retry={model.fields.length === 0 ? () => void model.load() : undefined}
      />
      <p className="cvl-Muted">
        {side === 'client'
          ? texts.__('Used by what is dispatched from now on.')
          : texts.__(
              'These sections are read only here: the server reads them when it starts. Change them in the file.'
            )}
      </p>
      <div role="tabpanel" className="cvl-Settings-groups">
        {[...groups].map(([name, fields]) => (
          <Section
            key={name}
            title={name}
            aside={isReadOnly(fields) ? texts.__('Read only') : null}
          >
            {fields.map(field => (
              <SettingField
                key={field.name}
                field={field}
                value={model.valueOf(field)}
                texts={texts}
                enter={value => model.enter(field, value)}
              />
            ))}
          </Section>
        ))}
        {groups.size === 0 && model.fields.length > 0 && (
          <p className="cvl-Empty-none">{texts.__('No setting matches.')}</p>
        )}
      </div>
    </div>
  );
}

/** Fields by section; each executor is one. */
function groupsOf(fields: readonly ConfigField[]): ReadonlyMap<string, readonly ConfigField[]> {
  const groups = new Map<string, ConfigField[]>();
  for (const field of fields) {
    const name = field.name
      .split('.')
      .slice(0, field.section === 'executors' ? 2 : 1)
      .join('.');
    groups.set(name, [...(groups.get(name) ?? []), field]);
  }
  return groups;
}

function isReadOnly(fields: readonly ConfigField[]): boolean {
  return fields.every(field => field.is_read_only);
}
