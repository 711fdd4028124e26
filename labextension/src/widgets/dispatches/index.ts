export * from './panel';
export * from './running';
export * from './table';
