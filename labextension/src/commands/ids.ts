/** Names of all commands. */
export const CommandIds = {
  openDispatch: 'covalent-lab:open-dispatch',
  refresh: 'covalent-lab:refresh',
  cancel: 'covalent-lab:cancel',
  rerun: 'covalent-lab:rerun',
  rerunRest: 'covalent-lab:rerun-rest',
  rerunWith: 'covalent-lab:rerun-with-arguments',
  loadResult: 'covalent-lab:load-result',
  copyExpression: 'covalent-lab:copy-expression',
  openOrigin: 'covalent-lab:open-origin',
  cancelNode: 'covalent-lab:cancel-node',
  loadOutput: 'covalent-lab:load-output',
  debugNode: 'covalent-lab:debug-node',
  replaceNode: 'covalent-lab:rerun-with-cell',
  toggleFold: 'covalent-lab:fold-sublattice',
  remove: 'covalent-lab:delete',
  removeMatching: 'covalent-lab:delete-matching',
  copyId: 'covalent-lab:copy-id',
  openTable: 'covalent-lab:open-table',
  openSettings: 'covalent-lab:open-settings',
  openLogs: 'covalent-lab:open-logs',
  openQuickstart: 'covalent-lab:open-quickstart',
  showSidebar: 'covalent-lab:show-sidebar'
} as const;

/** Names of the commands around graphs. */
export const GraphCommandIds = {
  openTimeline: 'covalent-lab:open-timeline',
  showPreview: 'covalent-lab:show-preview'
} as const;
