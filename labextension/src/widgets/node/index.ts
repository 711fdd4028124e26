export * from './actions';
export * from './panel';
