import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ServerConnection } from '@jupyterlab/services';
import { describe, expect, it } from 'vitest';

import schema from '../../schema/plugin.json';
import { ARRANGEMENTS, ORIENTATIONS } from '../../src/graph/layout';
import { servicePlugin } from '../../src/plugins/service';
import type { ICovalentLab } from '../../src/tokens';

const { properties } = schema;

async function labWith(composite?: object): Promise<ICovalentLab> {
  const serverSettings = ServerConnection.makeSettings();
  const app = { serviceManager: { serverSettings } } as unknown as JupyterFrontEnd;
  const settings = { composite, changed: { connect: () => true } };
  const fake = { load: async () => settings, transform: () => undefined };
  const registry = composite && (fake as unknown as ISettingRegistry);
  return (await servicePlugin.activate(app, registry ?? null)) as ICovalentLab;
}

describe('the settings of JupyterLab', () => {
  it('offer each layout and each direction that graphs have', () => {
    expect(properties.arrangement.enum).toEqual(ARRANGEMENTS);
    expect(properties.orientation.enum).toEqual(ORIENTATIONS);
  });

  it('have the defaults that are used without them', async () => {
    const defaults = Object.fromEntries(
      Object.entries(properties).map(([name, { default: value }]) => [name, value])
    );
    const lab = await labWith();
    expect(lab.settings).toEqual(defaults);
    lab.dispose();
  });

  it('say how graphs open', async () => {
    const lab = await labWith({ orientation: 'left', arrangement: 'tree', pageSize: 20 });
    expect(lab.graphDefaults).toEqual({
      orientation: 'left',
      arrangement: 'tree',
      showParameters: true,
      showPostprocess: false
    });
    lab.dispose();
  });
});
