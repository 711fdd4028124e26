import { Widget } from '@lumino/widgets';
import { act, fireEvent, screen } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';

import { plainTexts } from '../../src/graph/style';
import { editArguments, type ArgumentsBody, type IChecked } from '../../src/widgets/forms';

/** What a person does in the dialogs that open, one after the other; false leaves the form. */
const { acts } = vi.hoisted(() => ({ acts: [] as (() => boolean)[] }));
vi.mock('@jupyterlab/apputils', () => ({
  Dialog: { cancelButton: () => ({}), okButton: () => ({}) },
  showDialog: async ({ body }: { body: ArgumentsBody }) => {
    Widget.attach(body, document.body);
    await act(async () => void (await body.renderPromise));
    const accept = acts.shift()?.() ?? false;
    const value = body.getValue();
    body.dispose();
    return { button: { accept }, value };
  }
}));

const FIELDS = [
  { name: 'n', text: '1', summary: '1' },
  { name: 'data', text: '', summary: 'array([...])' }
];

function enter(text: string): void {
  fireEvent.change(screen.getByLabelText('n'), { target: { value: text } });
}

beforeEach(() => {
  acts.length = 0;
});

it('asks until what was entered are values, and keeps what was entered', async () => {
  const check = vi.fn(async (changes: Readonly<Record<string, string>>): Promise<IChecked> =>
    changes.n === '2'
      ? { values: { n: '2' }, errors: {} }
      : { values: {}, errors: { n: 'This is no value: invalid syntax.' } }
  );
  acts.push(
    () => {
      expect(screen.getByPlaceholderText('array([...])')).toHaveProperty('value', '');
      enter('2 +');
      return true;
    },
    () => {
      const field = screen.getByLabelText('n');
      expect(field).toHaveProperty('value', '2 +');
      expect(field.getAttribute('aria-invalid')).toBe('true');
      expect(screen.getByRole('alert').textContent).toContain('invalid syntax');
      enter('2');
      fireEvent.click(screen.getByRole('checkbox'));
      return true;
    }
  );
  const answer = await editArguments({ name: 'flow', fields: FIELDS, texts: plainTexts, check });
  expect(answer).toEqual({ changes: { n: '2' }, reusesResults: true });
  expect(check.mock.calls).toEqual([[{ n: '2 +' }], [{ n: '2' }]]);
});

it('gives nothing when it is left', async () => {
  const check = vi.fn();
  acts.push(() => false);
  expect(
    await editArguments({ name: 'flow', fields: FIELDS, texts: plainTexts, check })
  ).toBeNull();
  expect(check).not.toHaveBeenCalled();
});
