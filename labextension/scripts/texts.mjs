/** Prints, as JSON, the texts in src that go through the translator: context, singular, plural, and the file. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** Functions of a translator, with the places of context, singular and plural among their arguments. */
const TRANSLATORS = { __: { id: 0 }, _n: { id: 0, plural: 1 }, _p: { context: 0, id: 1 } };

const found = [];
const names = (await readdir(path.join(root, 'src'), { recursive: true })).sort();
for (const name of names.filter(each => /\.tsx?$/.test(each))) {
  const file = path.join('src', name);
  const text = await readFile(path.join(root, file), 'utf8');
  const visit = node => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const called = node.expression.name.text;
      if (Object.hasOwn(TRANSLATORS, called)) {
        const texts = Object.entries(TRANSLATORS[called]).map(([key, at]) => [
          key,
          ts.isStringLiteralLike(node.arguments[at]) ? node.arguments[at].text : null
        ]);
        if (texts.every(([, each]) => each !== null)) {
          found.push({ ...Object.fromEntries(texts), file });
        }
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
}
process.stdout.write(JSON.stringify(found));
