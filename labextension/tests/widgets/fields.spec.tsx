import { render, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { MiddleText } from '../../src/widgets/parts/fields';

describe('MiddleText', () => {
  it('keeps the whole text for selections, and its end apart', () => {
    render(<MiddleText text="c64b45f4-f127-451e-9437-fbf2be40a36d" />);
    const whole = screen.getByTitle('c64b45f4-f127-451e-9437-fbf2be40a36d');
    expect(whole.textContent).toBe('c64b45f4-f127-451e-9437-fbf2be40a36d');
    expect(whole.lastElementChild?.textContent).toBe('40a36d');
  });

  it('shows a text shorter than the end that is kept', () => {
    render(<MiddleText text="ab" />);
    expect(screen.getByTitle('ab').textContent).toBe('ab');
  });
});
