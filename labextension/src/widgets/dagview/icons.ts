/** Signs on the buttons over graphs and timelines, as lines in a box from 0 to 16. */

const ICONS = {
  zoomIn: 'M8 3v10M3 8h10',
  zoomOut: 'M3 8h10',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  down: 'M8 2.5v11M3.8 9.3 8 13.5l4.2-4.2',
  up: 'M8 13.5v-11M3.8 6.7 8 2.5l4.2 4.2',
  right: 'M2.5 8h11M9.3 3.8 13.5 8l-4.2 4.2',
  left: 'M13.5 8h-11M6.7 3.8 2.5 8l4.2 4.2',
  parameters: 'M5.2 4.5h5.6a3.5 3.5 0 0 1 0 7H5.2a3.5 3.5 0 0 1 0-7ZM5.5 8h5',
  postprocess: 'M3 13.5v-11M3.3 3h8.5l-2 3 2 3H3.3',
  labels: 'M2.5 4.5h5.8L13 8l-4.7 3.5H2.5zM5 8h.01',
  pretty: 'M2 12.5 5.5 4 9 12.5M3.2 9.8h4.6M14 7.5v5M14 10a2.2 2.4 0 1 1-4.4 0 2.2 2.4 0 0 1 4.4 0',
  stack: 'M2.5 6h8v7.5h-8zM5 6V3.7h8v7.6h-2.4',
  lock: 'M4 7.5h8v6H4zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2',
  putBack: 'M3 6.2h7a3.4 3.4 0 0 1 0 6.8H6.5M6 3 3 6.2l3 3.2',
  minimap: 'M2.5 3h11v10h-11zM8.5 8.2h3.3v2.9H8.5z',
  find: 'M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0M10 10l3.5 3.5',
  picture: 'M2.5 4.8h2.3l1-1.6h4.4l1 1.6h2.3v8H2.5zM8 6.5a2 2 0 1 0 0 4.1 2 2 0 0 0 0-4.1',
  vector: 'M3 12.5C3 6 13 10 13 3.5M2 12.5h2M12 3.5h2M8 2.5v2.2M8 11.3v2.2',
  list: 'M5.5 4h8M5.5 8h8M5.5 12h8M2.6 4h.01M2.6 8h.01M2.6 12h.01',
  timeline: 'M2.5 2.5v11h11M5 5h5M7 8h6M6 11h3',
  path: 'M2.5 4.5h4l3 7h4M2.5 11.5h3M10.5 4.5h3',
  open: 'M6.5 3h-3v9.5H13v-3M9 3h4v4M13 3 7.5 8.5'
} as const;

/** Name of a sign. */
export type IconName = keyof typeof ICONS;

const SVG = 'http://www.w3.org/2000/svg';

/** Puts a sign on a button, instead of what was on it. */
export function setIcon(button: HTMLButtonElement, icon: IconName): void {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[icon]);
  svg.append(path);
  button.replaceChildren(svg);
}

/** A button with a sign, and a name for those who do not see it. */
export function iconButton(icon: IconName, label: string, onClick: () => void): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'cvl-Controls-button';
  button.title = label;
  button.setAttribute('aria-label', label);
  setIcon(button, icon);
  button.addEventListener('click', onClick);
  return button;
}
