export * from './panel';
export * from './table';
