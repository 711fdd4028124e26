export * from './exports';
export * from './feed';
export * from './graph';
export * from './guards';
export * from './rest';
