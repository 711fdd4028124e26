import { DisposableDelegate } from '@lumino/disposable';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { RENDER_EVENT, type IRenderRequest } from '../../src/contract/open';
import { RichView } from '../../src/widgets/rich';

const PLOT = 'application/vnd.plotly.v1+json';
const removed = vi.fn();
let view: RichView;

/** A page that can draw one type. */
function draw(event: Event): void {
  const request = (event as CustomEvent<IRenderRequest>).detail;
  if (request.mimeType === PLOT) {
    request.host.textContent = JSON.stringify(request.data);
    request.drawn = new DisposableDelegate(removed);
  }
}

beforeEach(() => {
  removed.mockReset();
  view = new RichView({ label: 'Preview' });
  document.body.append(view.node);
});

afterEach(() => {
  document.removeEventListener(RENDER_EVENT, draw);
  view.dispose();
});

describe('RichView', () => {
  it('prefers a plot that the page can draw, and lets go of it', () => {
    document.addEventListener(RENDER_EVENT, draw);
    expect(view.show({ [PLOT]: '{"data": []}', 'image/png': 'AAAA' })).toBe(true);
    expect(view.node.textContent).toBe('{"data":[]}');
    expect(view.show({ 'text/html': '<b>x</b>' })).toBe(true);
    expect(removed).toHaveBeenCalledTimes(1);
  });

  it('shows an image where the page cannot, or where the data is damaged', () => {
    expect(view.show({ [PLOT]: '{}', 'text/html': '<b/>', 'image/jpeg': 'AAAA' })).toBe(true);
    expect(view.node.querySelector('img')?.src).toBe('data:image/jpeg;base64,AAAA');
    document.addEventListener(RENDER_EVENT, draw);
    view.show({ [PLOT]: '{', 'image/svg+xml': '<svg/>' });
    expect(view.node.innerHTML).toContain('data:image/svg+xml;charset=utf-8,%3Csvg%2F%3E');
    expect(view.node.childElementCount).toBe(1);
  });

  it('shows HTML in the colours of the theme, and follows the theme', async () => {
    document.body.style.setProperty('--jp-layout-color0', '#123');
    view.show({ 'text/html': '<b>x</b>' });
    const frame = view.node.querySelector('iframe')!;
    expect(frame.srcdoc).toContain('background:#123');
    document.body.style.setProperty('--jp-layout-color0', '#456');
    document.body.setAttribute('data-jp-theme-name', 'other');
    await vi.waitFor(() => expect(frame.srcdoc).toContain('background:#456'));
  });

  it('says when there is nothing that can be shown', () => {
    expect(view.show({ 'text/latex': '$x$', [PLOT]: '{}' })).toBe(false);
    expect(view.node.childElementCount).toBe(0);
  });
});
