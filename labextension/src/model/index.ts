export * from './cells';
export * from './comparison';
export * from './dispatch';
export * from './dispatches';
export * from './node';
export * from './origin';
export * from './overview';
export * from './reduce';
