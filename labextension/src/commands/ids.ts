/** Names of all commands. */
export const CommandIds = {
  openDispatch: 'covalent-lab:open-dispatch',
  refresh: 'covalent-lab:refresh',
  cancel: 'covalent-lab:cancel',
  rerun: 'covalent-lab:rerun',
  rerunRest: 'covalent-lab:rerun-rest',
  remove: 'covalent-lab:delete',
  removeMatching: 'covalent-lab:delete-matching',
  copyId: 'covalent-lab:copy-id',
  openTable: 'covalent-lab:open-table',
  showSidebar: 'covalent-lab:show-sidebar'
} as const;

/** Names of the commands around graphs. */
export const GraphCommandIds = {
  openTimeline: 'covalent-lab:open-timeline',
  showPreview: 'covalent-lab:show-preview'
} as const;
