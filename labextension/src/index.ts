/** The plugins of this extension. */

import { commandsPlugin } from './plugins/commands';
import { linksPlugin } from './plugins/links';
import { panelPlugin } from './plugins/panel';
import { previewPlugin } from './plugins/preview';
import { servicePlugin } from './plugins/service';
import { timelinesPlugin } from './plugins/timelines';
import { viewsPlugin } from './plugins/views';

export * from './tokens';

export default [
  servicePlugin,
  panelPlugin,
  viewsPlugin,
  commandsPlugin,
  linksPlugin,
  timelinesPlugin,
  previewPlugin
];
