export * from './ansi';
export * from './fields';
export * from './hooks';
export * from './open';
export * from './payload';
export * from './python';
export * from './status';
export * from './tables';
