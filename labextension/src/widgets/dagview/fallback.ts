/** Colours for pages without a JupyterLab theme (VS Code, Colab, plain HTML): the same variables, own values. */

const LIGHT: Readonly<Record<string, string>> = {
  'layout-color0': '#ffffff',
  'layout-color1': '#ffffff',
  'layout-color2': '#eef0f2',
  'layout-color3': '#d8dce0',
  'border-color0': '#9aa3ad',
  'border-color1': '#c4cad1',
  'border-color2': '#e0e4e8',
  'ui-font-color0': '#15191e',
  'ui-font-color1': '#2d343c',
  'ui-font-color2': '#616b76',
  'ui-font-color3': '#98a1ab',
  'brand-color1': '#1976d2',
  'success-color1': '#2e8b3d',
  'warn-color1': '#e07a00',
  'error-color1': '#cf2d2d'
};

const DARK: Readonly<Record<string, string>> = {
  'layout-color0': '#15181c',
  'layout-color1': '#1e2227',
  'layout-color2': '#2b3037',
  'layout-color3': '#3b424b',
  'border-color0': '#6b7580',
  'border-color1': '#454d56',
  'border-color2': '#333a42',
  'ui-font-color0': '#f2f4f6',
  'ui-font-color1': '#dde1e5',
  'ui-font-color2': '#a3acb5',
  'ui-font-color3': '#7b858f',
  'brand-color1': '#5aa9f5',
  'success-color1': '#5cba68',
  'warn-color1': '#f5a04a',
  'error-color1': '#f0716f'
};

/** Sets the variables on an element, unless the page's theme has them. */
export function applyFallbackTheme(element: HTMLElement): void {
  const root = getComputedStyle(document.body);
  if (root.getPropertyValue('--jp-layout-color1').trim() !== '') {
    return;
  }
  const colours = isDark() ? DARK : LIGHT;
  for (const [name, value] of Object.entries(colours)) {
    element.style.setProperty(`--jp-${name}`, value);
  }
}

function isDark(): boolean {
  const kind = document.body.dataset.vscodeThemeKind;
  if (kind !== undefined) {
    return kind.includes('dark');
  }
  const html = document.documentElement;
  if (html.getAttribute('theme') !== null) {
    return html.getAttribute('theme') === 'dark';
  }
  return window.matchMedia('(prefers-color-scheme: dark)').matches;
}
