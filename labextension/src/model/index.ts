export * from './dispatch';
export * from './dispatches';
export * from './node';
export * from './overview';
export * from './preview';
export * from './reduce';
