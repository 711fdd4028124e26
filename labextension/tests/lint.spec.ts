/** The rule that texts people see are translated. */

import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';

const eslint = new ESLint();

/** How many texts of some code are refused. */
async function refused(code: string): Promise<number> {
  const [{ messages }] = await eslint.lintText(code, { filePath: 'src/widgets/example.tsx' });
  return messages.filter(({ ruleId }) => ruleId === 'texts/translated').length;
}

describe('The rule for texts', () => {
  it.each([
    ['an element', '<p>Run again</p>'],
    ['an expression in an element', "<p>{isOn ? 'Stop' : 'Go on'}</p>", 2],
    ['a name for screen readers', '<i aria-label="Close" />'],
    ['an attribute that is computed', '<input placeholder={hint || `Find ${what}`} />'],
    ['a command', "commands.addCommand('id', { label: 'Run again' })"],
    ['a set attribute', "node.setAttribute('aria-label', 'Close')"],
    ['a property of an element', "node.title = 'Close'"],
    ['an option', "select.append(new Option('All', ''))"],
    ['a notification', "Notification.error('It failed')"],
    ['a picture', "context.fillText('waiting', 0, 0)"],
    ['a computed text', 'texts.__(word)'],
    ['a computed plural', "texts._n('%1 node', many, 2)"]
  ])('refuses a plain text in %s', async (_, code, count = 1) => {
    expect(await refused(code)).toBe(count);
  });

  it('takes what is translated, names of streams and signs', async () => {
    const code = `<p title={texts.__('Close')}>
      {texts._n('%1 node', '%1 nodes', count)} × {name} <b>stdout</b> <code>{'·'}</code>
    </p>`;
    expect(await refused(code)).toBe(0);
    expect(await refused("node.setAttribute('role', 'toolbar')")).toBe(0);
  });
});
