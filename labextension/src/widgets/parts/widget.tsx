/** Widgets that are one React component. */

import { ReactWidget } from '@jupyterlab/ui-components';
import type { JSX } from 'react';

/** Shows a component with the props it was made with. */
export class ComponentWidget<P extends object> extends ReactWidget {
  constructor(component: (props: P) => JSX.Element | null, props: P, className: string) {
    super();
    this._component = component;
    this.props = props;
    this.addClass(className);
  }

  protected render(): JSX.Element {
    const Component = this._component;
    return <Component {...this.props} />;
  }

  protected readonly props: P;
  private readonly _component: (props: P) => JSX.Element | null;
}
