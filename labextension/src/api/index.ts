export * from './errors';
export * from './executors';
export * from './feed';
export * from './request';
export * from './rest';
