export * from './arguments';
