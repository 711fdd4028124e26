/** Colours of the canvas, read from the theme's CSS variables. */

/** Colours by role; all are CSS colour texts. */
export interface IPalette {
  readonly background: string;
  readonly card: string;
  readonly cardMuted: string;
  readonly border: string;
  readonly borderStrong: string;
  readonly text: string;
  readonly textMuted: string;
  readonly edge: string;
  readonly brand: string;
  readonly incoming: string;
  readonly outgoing: string;
  /** Of nodes that differ from others. */
  readonly mark: string;
  readonly onStatus: string;
  readonly font: string;
  readonly monospace: string;
  readonly status: Readonly<Record<string, string>>;
}

/** Reads the variables as they are for an element at this moment. */
export function readPalette(element: Element): IPalette {
  const style = getComputedStyle(element);
  const read = (name: string, fallback: string) =>
    style.getPropertyValue(`--jp-${name}`).trim() || fallback;
  const card = read('layout-color1', '#ffffff');
  return {
    background: read('layout-color0', '#ffffff'),
    card,
    cardMuted: read('layout-color2', '#eeeeee'),
    border: read('border-color1', '#bdbdbd'),
    borderStrong: read('border-color0', '#9e9e9e'),
    text: read('ui-font-color0', '#111111'),
    textMuted: read('ui-font-color2', '#666666'),
    edge: read('ui-font-color3', '#9e9e9e'),
    brand: read('brand-color1', '#1976d2'),
    incoming: read('warn-color1', '#f57c00'),
    outgoing: read('brand-color1', '#1976d2'),
    mark: read('warn-color1', '#f57c00'),
    onStatus: read('layout-color1', '#ffffff'),
    font: read('ui-font-family', 'system-ui, -apple-system, sans-serif'),
    monospace: read('code-font-family', 'ui-monospace, monospace'),
    status: {
      pending: read('ui-font-color3', '#9e9e9e'),
      queued: read('warn-color1', '#f57c00'),
      running: read('brand-color1', '#1976d2'),
      dispatching: read('brand-color1', '#1976d2'),
      completed: read('success-color1', '#388e3c'),
      failed: read('error-color1', '#d32f2f'),
      cancelled: read('ui-font-color2', '#757575')
    }
  };
}
