/** What can be done with the dispatch of a view and with its nodes; handed in, widgets only have the buttons. */

export interface IViewActions {
  cancel(): void;
  /** Runs it again; with `reusesResults` only what did not complete. */
  rerun(reusesResults: boolean): void;
  /** Asks for other arguments first. */
  rerunWith(): void;
  /** Puts a cell into a notebook that loads the result. */
  loadResult(): void;
  /** Shows the notebook cell that dispatched it. */
  openOrigin(): void;
  /** Shows the list of dispatches. */
  showList(): void;
  /** The same for the dispatch that a node became. */
  of(dispatchId: string): IViewActions;
  cancelNode(nodeId: number): void;
  loadOutput(nodeId: number): void;
  /** Puts a cell into a notebook that steps through the call of a node. */
  debugNode(nodeId: number): void;
  /** Runs it again with the function of the active cell in the place of that of a node. */
  replaceNode(nodeId: number): void;
}
