import js from '@eslint/js';
import tseslint from 'typescript-eslint';

import { translated } from './scripts/eslint-texts.mjs';

/** Import direction: contract ← api ← model ← widgets ← plugins; graph sees contract; commands see tokens and model. */
const layers = {
  contract: ['api', 'graph', 'model', 'widgets', 'commands', 'plugins', 'tokens'],
  api: ['graph', 'model', 'widgets', 'commands', 'plugins', 'tokens'],
  graph: ['api', 'model', 'widgets', 'commands', 'plugins', 'tokens'],
  model: ['widgets', 'commands', 'plugins', 'tokens'],
  widgets: ['api', 'commands', 'plugins'],
  commands: ['api', 'graph', 'widgets', 'plugins']
};

const boundaries = Object.entries(layers).map(([folder, banned]) => ({
  files: [`src/${folder}/**/*.{ts,tsx}`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: banned.flatMap(name => [
              `../${name}`,
              `../${name}/**`,
              `../../${name}`,
              `../../${name}/**`
            ]),
            message: `src/${folder} may not import this folder; see the list in eslint.config.mjs.`
          }
        ]
      }
    ]
  }
}));

export default tseslint.config(
  { ignores: ['lib', 'node_modules', '.yarn', 'src/contract/{graph,feed,rest}.ts'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['scripts/**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } }
  },
  {
    files: ['**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'interface', format: ['PascalCase'], prefix: ['I'] }
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { args: 'none' }],
      eqeqeq: 'error',
      curly: 'error'
    }
  },
  {
    files: [
      'src/{model,graph,widgets,commands,plugins}/**/*.{ts,tsx}',
      'src/mime.ts',
      'src/anywidget.ts'
    ],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'fetch', message: 'Requests are made in src/api only.' },
        { name: 'WebSocket', message: 'Sockets are opened in src/api only.' }
      ]
    }
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { texts: { rules: { translated } } },
    rules: { 'texts/translated': 'error' }
  },
  ...boundaries
);
