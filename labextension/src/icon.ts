/** The icon of the panel and of its views: three atoms that share a bond. */

import { LabIcon } from '@jupyterlab/ui-components';

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="none" stroke="#616161" stroke-width="1.9" stroke-linecap="round">
    <path d="M12 7.6v3.2M12 10.8C12 14 6 12.6 6 16M12 10.8c0 3.2 6 1.8 6 5.2"/>
    <circle cx="12" cy="5" r="2.7"/>
  </g>
  <g class="jp-icon3" fill="#616161">
    <circle cx="6" cy="18.8" r="2.9"/>
    <circle cx="18" cy="18.8" r="2.9"/>
  </g>
</svg>`;

/** The own icon of the extension. */
export const covalentIcon = new LabIcon({ name: 'covalent-lab:icon', svgstr: SVG });
