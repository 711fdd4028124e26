export * from './cells';
export * from './dispatch';
export * from './dispatches';
export * from './executors';
export * from './node';
export * from './origin';
export * from './overview';
export * from './reduce';
