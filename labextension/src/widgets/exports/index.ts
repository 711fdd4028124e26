export * from './choose';
export * from './picture';
