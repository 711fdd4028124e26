/** Bundles src/anywidget.ts into the one ES module that the Python package serves to notebooks. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { rspack } from '@rspack/core';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const compiler = rspack({
  mode: 'production',
  target: ['web', 'es2020'],
  entry: path.join(root, 'src', 'anywidget.ts'),
  experiments: { outputModule: true },
  output: {
    path: path.join(root, '..', 'covalent_lab', 'notebook', 'static'),
    filename: 'widget.js',
    library: { type: 'module' },
    module: true
  },
  resolve: { extensions: ['.ts', '.js'] },
  module: {
    rules: [
      {
        test: /\.ts$/,
        loader: 'builtin:swc-loader',
        options: { jsc: { parser: { syntax: 'typescript' }, target: 'es2020' } }
      },
      { test: /\.css$/, type: 'asset/source' }
    ]
  },
  performance: { hints: false }
});

compiler.run((error, stats) => {
  if (error || stats?.hasErrors()) {
    console.error(error ?? stats?.toString({ colors: false }));
    process.exitCode = 1;
  } else {
    console.log(stats?.toString({ colors: false, modules: false, chunks: false }));
  }
  compiler.close(() => undefined);
});
