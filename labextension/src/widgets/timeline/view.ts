/** The timeline of one dispatch in the main area: what it says as a whole, and the canvas. Owns the model it shows. */

import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { isTerminal } from '../../contract';
import { requestOpen } from '../../contract/open';
import type { ITexts } from '../../graph/style';
import { formatDuration } from '../../graph/style';
import type { ITimeline } from '../../graph/timeline';
import { pathTimes, timelineOf } from '../../graph/timeline';
import type { DispatchModel } from '../../model';
import type { IconName } from '../dagview/icons';
import { iconButton } from '../dagview/icons';
import { TimelineCanvas } from './canvas';

/** Head over canvas. */
export class TimelineView extends Widget {
  constructor(options: { model: DispatchModel; texts: ITexts }) {
    super();
    this.addClass('cvl-Timeline');
    this.model = options.model;
    this._texts = options.texts;
    const { texts } = options;
    const head = document.createElement('div');
    head.className = 'cvl-Timeline-head';
    this._summary = document.createElement('p');
    this._summary.className = 'cvl-Timeline-summary';
    this._selected = document.createElement('p');
    this._selected.className = 'cvl-Timeline-selected';
    const buttons = document.createElement('div');
    buttons.className = 'cvl-Controls';
    buttons.setAttribute('role', 'toolbar');
    buttons.setAttribute('aria-label', texts.__('Timeline controls'));
    const add = (icon: IconName, label: string, onClick: () => void) =>
      buttons.append(iconButton(icon, label, onClick));
    add('zoomIn', texts.__('Zoom in (+)'), () => this._canvas.zoomBy(1.5));
    add('zoomOut', texts.__('Zoom out (-)'), () => this._canvas.zoomBy(1 / 1.5));
    add('fit', texts.__('Fit to view (0)'), () => this._canvas.fit());
    add('path', texts.__('Next node on the critical path'), () => this._nextCritical());
    add('open', texts.__('Show in graph'), () => this._showInGraph(this.model.selection));
    const legend = document.createElement('p');
    legend.className = 'cvl-Timeline-legend';
    for (const [kind, word] of [
      ['wait', texts.__('waits')],
      ['run', texts.__('runs')],
      ['failed', texts.__('failed attempt')],
      ['critical', texts.__('critical path')]
    ]) {
      const sign = document.createElement('i');
      sign.className = `cvl-Timeline-sign cvl-mod-${kind}`;
      legend.append(sign, word);
    }
    head.append(this._summary, legend, buttons);
    const body = document.createElement('div');
    body.className = 'cvl-Timeline-body';
    this.node.append(head, this._selected, body);
    this._canvas = new TimelineCanvas({
      host: body,
      texts,
      onSelect: id => {
        this.model.selection = id;
      },
      onOpen: id => this._showInGraph(id)
    });
    this.model.changed.connect(this._onChanged, this);
    this.model.selectionChanged.connect(this._onSelection, this);
    this._onChanged();
  }

  readonly model: DispatchModel;

  refreshTheme(): void {
    this._canvas.refreshTheme();
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._canvas.dispose();
      this.model.changed.disconnect(this._onChanged, this);
      this.model.selectionChanged.disconnect(this._onSelection, this);
      this.model.dispose();
      super.dispose();
    }
  }

  protected onActivateRequest(msg: Message): void {
    this._canvas.focus();
  }

  private _onChanged(): void {
    const { structure, nodes, detail, error } = this.model;
    if (structure === null || nodes === null || detail === null) {
      this._summary.textContent = error === '' ? this._texts.__('Loading…') : error;
      return;
    }
    this._timeline = timelineOf(structure, nodes, detail.started_at);
    if (this._timeline === null) {
      this._summary.textContent = this._texts.__('Nothing has started yet.');
      return;
    }
    this._canvas.setContent({ structure, states: nodes, timeline: this._timeline });
    this._summary.textContent = this._summarise(this._timeline, detail.status);
    this._onSelection();
  }

  private _summarise(timeline: ITimeline, status: string): string {
    const { running, waiting, repeated } = pathTimes(timeline, Date.now() / 1000);
    const parts = [
      this._texts._n('Critical path: %1 node', 'Critical path: %1 nodes', timeline.critical.length),
      this._texts.__('%1 running', formatDuration(running)),
      this._texts.__('%1 waiting', formatDuration(waiting))
    ];
    if (repeated > 0) {
      parts.push(this._texts.__('%1 in repeated attempts', formatDuration(repeated)));
    }
    return isTerminal(status) ? parts.join(' · ') : `${parts.join(' · ')} …`;
  }

  private _onSelection(): void {
    const { selection } = this.model;
    this._canvas.select(selection);
    const text = selection === null ? '' : this._canvas.describe(selection);
    this._selected.textContent = text || this._texts.__('Select a node to see its times.');
  }

  private _nextCritical(): void {
    const critical = this._timeline?.critical ?? [];
    if (critical.length > 0) {
      const at = critical.indexOf(this.model.selection ?? -1);
      this.model.selection = critical[(at + 1) % critical.length];
    }
  }

  private _showInGraph(nodeId: number | null): void {
    const { dispatchId } = this.model;
    requestOpen(this.node, { dispatchId, ...(nodeId === null ? {} : { nodeId }) });
  }

  private readonly _texts: ITexts;
  private readonly _canvas: TimelineCanvas;
  private readonly _summary: HTMLElement;
  private readonly _selected: HTMLElement;
  private _timeline: ITimeline | null = null;
}
