/** The plugins of this extension. */

import { commandsPlugin } from './plugins/commands';
import { executorsPlugin } from './plugins/executors';
import { linksPlugin } from './plugins/links';
import { notebooksPlugin } from './plugins/notebooks';
import { panelPlugin } from './plugins/panel';
import { servicePlugin } from './plugins/service';
import { timelinesPlugin } from './plugins/timelines';
import { viewsPlugin } from './plugins/views';

export * from './tokens';

export default [
  servicePlugin,
  notebooksPlugin,
  panelPlugin,
  viewsPlugin,
  commandsPlugin,
  linksPlugin,
  timelinesPlugin,
  executorsPlugin
];
