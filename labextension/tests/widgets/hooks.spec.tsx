import { Signal } from '@lumino/signaling';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { useSignal } from '../../src/widgets/parts';

const surroundings = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean };

/** Two frames have been drawn. */
const drawn = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));

describe('useSignal', () => {
  const before = surroundings.IS_REACT_ACT_ENVIRONMENT;

  beforeEach(() => {
    surroundings.IS_REACT_ACT_ENVIRONMENT = false; // React draws when it likes, as in a page
  });

  afterEach(() => {
    surroundings.IS_REACT_ACT_ENVIRONMENT = before;
  });

  it('misses nothing that happens right after the first drawing', async () => {
    const model = { text: 'old' };
    const changed = new Signal<object, void>(model);
    const Shown = () => {
      useSignal(changed);
      return <p>{model.text}</p>;
    };
    const host = document.createElement('div');
    const root = createRoot(host);
    const isOnPage = new Promise<void>(done => {
      new MutationObserver((_, observer) => {
        observer.disconnect();
        model.text = 'new';
        changed.emit();
        done();
      }).observe(host, { childList: true });
    });
    root.render(<Shown />);
    await isOnPage;
    expect(host.textContent).toBe('old');
    await drawn();
    await drawn();
    expect(host.textContent).toBe('new');
    root.unmount();
  });

  it('draws once for all that happens between two frames, and no more when it is gone', async () => {
    const changed = new Signal<object, void>({});
    let drawings = 0;
    const Shown = () => {
      useSignal(changed);
      drawings += 1;
      return null;
    };
    const root = createRoot(document.createElement('div'));
    root.render(<Shown />);
    await drawn();
    expect(drawings).toBe(1);
    changed.emit();
    changed.emit();
    await drawn();
    await drawn();
    expect(drawings).toBe(2);
    changed.emit();
    root.unmount();
    changed.emit();
    await drawn();
    expect(drawings).toBe(2);
  });
});
