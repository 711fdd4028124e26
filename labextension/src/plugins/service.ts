/** Provides the models of all dispatches, and reads the settings. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IFeed, IRestClient } from '../api';
import { Feed, RestClient } from '../api';
import type { Detail, ExportFormat, NodeDetail } from '../contract';
import {
  ComparisonModel,
  ConfigModel,
  DispatchesModel,
  DispatchModel,
  LogModel,
  OverviewModel
} from '../model';
import type { GraphDefaults, ICovalentSettings } from '../tokens';
import { ICovalentLab } from '../tokens';
import { translateSettings } from './texts';

const DEFAULTS: ICovalentSettings = {
  pageSize: 50,
  tablePageSize: 10,
  showParameters: true,
  showPostprocess: false,
  orientation: 'down',
  arrangement: 'layered'
};

class CovalentLab implements ICovalentLab {
  constructor(app: JupyterFrontEnd) {
    const { serverSettings } = app.serviceManager;
    this._rest = new RestClient({ serverSettings });
    this._feed = new Feed({ serverSettings });
    this.dispatches = new DispatchesModel({ rest: this._rest, feed: this._feed });
    this.overview = new OverviewModel({ rest: this._rest, feed: this._feed });
  }

  readonly dispatches: DispatchesModel;
  readonly overview: OverviewModel;

  get settings(): ICovalentSettings {
    return this._settings;
  }

  get graphDefaults(): GraphDefaults {
    const { orientation, arrangement, showParameters, showPostprocess } = this._settings;
    return { orientation, arrangement, showParameters, showPostprocess };
  }

  get settingsChanged(): ISignal<this, ICovalentSettings> {
    return this._settingsChanged;
  }

  get isDisposed(): boolean {
    return this.dispatches.isDisposed;
  }

  createDispatch(dispatchId: string): DispatchModel {
    return new DispatchModel({ rest: this._rest, feed: this._feed, dispatchId });
  }

  exported(dispatchId: string, format: Exclude<ExportFormat, 'png'>): Promise<Blob> {
    return this._rest.exported(dispatchId, format);
  }

  createComparison(left: string, right: string): ComparisonModel {
    return new ComparisonModel({ rest: this._rest, left, right });
  }

  detail(dispatchId: string): Promise<Detail> {
    return this._rest.detail(dispatchId);
  }

  node(dispatchId: string, nodeId: number): Promise<NodeDetail> {
    return this._rest.node(dispatchId, nodeId);
  }

  async cancelNode(dispatchId: string, nodeId: number): Promise<string> {
    return (await this._rest.cancel(dispatchId, [nodeId])).message;
  }

  createPages(): DispatchesModel {
    const { tablePageSize } = this._settings;
    return new DispatchesModel({
      rest: this._rest,
      feed: this._feed,
      pageSize: tablePageSize,
      isPaged: true
    });
  }

  createConfig(): ConfigModel {
    return new ConfigModel({ rest: this._rest });
  }

  createLog(): LogModel {
    return new LogModel({ rest: this._rest });
  }

  async quickstart(): Promise<string> {
    return (await this._rest.quickstart()).path;
  }

  applySettings(settings: ICovalentSettings): void {
    this._settings = settings;
    this.dispatches.pageSize = settings.pageSize;
    this._settingsChanged.emit(settings);
  }

  dispose(): void {
    this.dispatches.dispose();
    this.overview.dispose();
    this._feed.dispose();
    Signal.clearData(this);
  }

  private readonly _rest: IRestClient;
  private readonly _feed: IFeed;
  private readonly _settingsChanged = new Signal<this, ICovalentSettings>(this);
  private _settings = DEFAULTS;
}

export const servicePlugin: JupyterFrontEndPlugin<ICovalentLab> = {
  id: 'covalent-lab:plugin',
  description: 'Models of the dispatches of this server, kept current.',
  autoStart: true,
  provides: ICovalentLab,
  optional: [ISettingRegistry, ITranslator],
  activate: async (app, registry: ISettingRegistry | null, translator: ITranslator | null) => {
    const lab = new CovalentLab(app);
    registry?.transform(servicePlugin.id, {
      fetch: plugin => translateSettings(plugin, translator)
    });
    try {
      const settings = await registry?.load(servicePlugin.id);
      const apply = () =>
        settings && lab.applySettings({ ...DEFAULTS, ...(settings.composite as object) });
      settings?.changed.connect(apply);
      apply();
    } catch (reason) {
      console.error('covalent-lab: settings could not be read; defaults are used', reason);
    }
    return lab;
  }
};
