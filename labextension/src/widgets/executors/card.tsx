/** One executor: how it stands, what it has to do, what it said, its settings. */

import type { JSX, ReactNode } from 'react';

import type { ExecutorHealth, ExecutorTest } from '../../contract';
import { formatDuration, type ITexts } from '../../graph/style';
import { toneOf, type ExecutorTone, type IExecutorState } from '../../model';
import { Facts, Section, Sign } from '../parts';
import { SettingsForm } from './settings';
import type { IExecutorsOptions } from './view';

const TONES: Readonly<Record<ExecutorTone, string>> = {
  usable: 'completed',
  unusable: 'failed',
  working: 'running',
  unknown: 'pending'
};

/** The card. */
export function ExecutorCard(
  props: IExecutorsOptions & { state: IExecutorState; children?: ReactNode }
): JSX.Element {
  const { state, model, texts } = props;
  const { view, health, test, busy, error } = state;
  const id = `cvl-executor-${view.name}`;
  return (
    <section className="cvl-Executor" aria-labelledby={id} aria-busy={busy !== null}>
      <div className="cvl-Executor-head">
        <h3 id={id}>{view.name}</h3>
        {view.is_default && <span className="cvl-Muted">{texts.__('default')}</span>}
        <ToneBadge tone={toneOf(state)} texts={texts} />
      </div>
      {view.summary !== '' && <p>{view.summary}</p>}
      <p className="cvl-Executor-counts" aria-live="polite">
        {texts.__('%1 running, %2 waiting', view.running, view.queued)}
      </p>
      <div className="cvl-Executor-actions">
        <button
          type="button"
          className="cvl-Button"
          disabled={busy !== null}
          aria-label={texts.__('Check %1', view.name)}
          onClick={() => void model.check(view.name)}
        >
          {busy === 'check' ? texts.__('Checking…') : texts.__('Check')}
        </button>
        <button
          type="button"
          className="cvl-Button"
          disabled={busy !== null}
          aria-label={texts.__('Test %1', view.name)}
          onClick={() => void model.test(view.name)}
        >
          {busy === 'test' ? texts.__('Testing…') : texts.__('Test')}
        </button>
      </div>
      <div role="status">
        {health !== null && <HealthPart health={health} {...props} />}
        {test !== null && <TestPart test={test} {...props} />}
      </div>
      {error !== '' && (
        <p className="cvl-ErrorText" role="alert">
          {error}
        </p>
      )}
      {view.trouble !== '' && view.trouble !== health?.summary && (
        <p className="cvl-ErrorText">{view.trouble}</p>
      )}
      {view.is_outdated && (
        <p className="cvl-Muted">
          {texts.__('Changed settings take effect when its present tasks have ended.')}
        </p>
      )}
      {props.children}
      {view.settings.length > 0 && (
        <Section title={texts.__('Settings')} isClosed>
          <SettingsForm view={view} model={model} texts={texts} isBusy={busy !== null} />
        </Section>
      )}
      <Section title={texts.__('About')} isClosed>
        <Facts
          rows={[
            [texts.__('Class'), view.class_name],
            [texts.__('From'), view.origin]
          ]}
        />
      </Section>
    </section>
  );
}

function ToneBadge(props: { tone: ExecutorTone; texts: ITexts }): JSX.Element {
  const { tone, texts } = props;
  const words: Readonly<Record<ExecutorTone, string>> = {
    usable: texts.__('Usable'),
    unusable: texts.__('Not usable'),
    working: texts.__('Asking…'),
    unknown: texts.__('Not asked yet')
  };
  return (
    <span className={`cvl-Badge cvl-tone-${TONES[tone]}`}>
      <Sign tone={TONES[tone]} word={words[tone]} size={14} />
      {words[tone]}
    </span>
  );
}

function HealthPart(props: IExecutorsOptions & { health: ExecutorHealth }): JSX.Element {
  const { health, openLink } = props;
  return (
    <div className="cvl-Executor-said">
      <p className={health.is_usable ? '' : 'cvl-ErrorText'}>{health.summary}</p>
      <Facts rows={health.facts.map(({ name, value }) => [name, value])} />
      {health.links.map(({ name, url }) => (
        <button key={name} type="button" className="cvl-Link" onClick={() => openLink(url)}>
          {name}
        </button>
      ))}
    </div>
  );
}

function TestPart(props: IExecutorsOptions & { test: ExecutorTest }): JSX.Element {
  const { test, texts, openDispatch } = props;
  const { dispatch_id } = test;
  const time = (seconds: number | null) => (seconds === null ? '' : formatDuration(seconds));
  return (
    <div className="cvl-Executor-said">
      <p className={test.is_passed ? '' : 'cvl-ErrorText'}>
        {test.is_passed ? texts.__('Test passed.') : texts.__('Test not passed.')} {test.summary}
      </p>
      <Facts
        rows={[
          [texts.__('Host'), test.host],
          [texts.__('Python'), test.python],
          [texts.__('Program'), test.program],
          [texts.__('Waited'), time(test.waited_s)],
          [texts.__('Ran'), time(test.ran_s)]
        ]}
      />
      {dispatch_id !== null && (
        <button type="button" className="cvl-Link" onClick={() => openDispatch(dispatch_id)}>
          {texts.__('Open the test')}
        </button>
      )}
    </div>
  );
}
