export * from './errors';
export * from './feed';
export * from './rest';
