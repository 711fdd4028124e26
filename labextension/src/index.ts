/** The plugins of this extension. */

import { commandsPlugin } from './plugins/commands';
import { executorsPlugin } from './plugins/executors';
import { exportsPlugin } from './plugins/exports';
import { launcherPlugin } from './plugins/launcher';
import { linksPlugin } from './plugins/links';
import { renderersPlugin } from './plugins/renderers';
import { notebooksPlugin } from './plugins/notebooks';
import { pagesPlugin } from './plugins/pages';
import { panelPlugin } from './plugins/panel';
import { previewPlugin } from './plugins/preview';
import { servicePlugin } from './plugins/service';
import { statusPlugin } from './plugins/status';
import { textsPlugin } from './plugins/texts';
import { timelinesPlugin } from './plugins/timelines';
import { viewsPlugin } from './plugins/views';

export * from './tokens';

export default [
  textsPlugin,
  servicePlugin,
  notebooksPlugin,
  panelPlugin,
  viewsPlugin,
  pagesPlugin,
  commandsPlugin,
  exportsPlugin,
  linksPlugin,
  renderersPlugin,
  timelinesPlugin,
  executorsPlugin,
  previewPlugin,
  statusPlugin,
  launcherPlugin
];
