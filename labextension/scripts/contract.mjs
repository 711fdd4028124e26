/** Generates src/contract from the JSON Schemas; with --check only compares, and fails on a difference. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { compile } from 'json-schema-to-typescript';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const schemas = path.join(root, '..', 'covalent_lab', 'schemas');
const target = path.join(root, 'src', 'contract');
const check = process.argv.includes('--check');
const banner = name =>
  `/* Generated from covalent_lab/schemas/${name}.json by \`jlpm contract:generate\`; do not edit. */\n`;

const options = {
  additionalProperties: false,
  bannerComment: '',
  cwd: schemas,
  format: true,
  style: { singleQuote: true, printWidth: 100 },
  unreachableDefinitions: true
};

let drifted = false;
for (const name of ['graph', 'feed', 'rest']) {
  const schema = JSON.parse(await readFile(path.join(schemas, `${name}.json`), 'utf8'));
  const source = banner(name) + (await compile(schema, name, options));
  const file = path.join(target, `${name}.ts`);
  if (!check) {
    await writeFile(file, source);
    continue;
  }
  const present = await readFile(file, 'utf8').catch(() => '');
  if (present !== source) {
    console.error(`${path.relative(root, file)} differs from covalent_lab/schemas/${name}.json`);
    drifted = true;
  }
}
if (drifted) {
  console.error('Run `jlpm contract:generate`.');
  process.exit(1);
}
