import { describe, expect, it } from 'vitest';

import {
  debugCode,
  formExpression,
  isDefinedIn,
  originOf,
  outputCode,
  replaceCode,
  rerunCode,
  resultCode
} from '../../src/model';
import { detail } from '../fakes';

describe('cells', () => {
  it('load a result or an output', () => {
    expect(resultCode('a')).toBe(
      'import covalent_lab as ct\n\nct.get_result("a", wait=True).result'
    );
    expect(outputCode('a', 3)).toContain('ct.get_result("a").get_node_result(3)["output"]');
  });

  it('run a dispatch again with what was changed, and only that', () => {
    expect(rerunCode('a', { n: '5', names: "['x']" }, true)).toBe(
      `import covalent_lab as ct
from covalent_lab.notebook.forms import arguments_of

call = arguments_of("a")
call.arguments.update(
    n=5,
    names=['x'],
)
ct.redispatch("a", reuse_previous_results=True)(*call.args, **call.kwargs)`
    );
    expect(rerunCode('a', {}, false)).not.toContain('update');
  });

  it('replace a function, and debug a node', () => {
    expect(replaceCode('a', 'fit')).toContain('replace_electrons={"fit": fit}');
    expect(debugCode('a', 2)).toBe('%load_ext covalent_lab\n%covalent debug a 2');
  });

  it.each([
    ['@ct.electron\ndef fit(x):\n    return x', true],
    ['async def fit (x): ...', true],
    ['fit = ct.electron(lambda x: x)', true],
    ['def fitted(x): ...', false],
    ['    def fit(x): ...', false],
    ['fit == 3', false],
    ['', false]
  ])('know whether %j defines fit', (source, isDefined) => {
    expect(isDefinedIn(source, 'fit')).toBe(isDefined);
  });

  it('hand texts over as Python writes them', () => {
    expect(formExpression('check', '{"a": "\\"x\\"\\n"}')).toMatch(
      /\.check\("\{\\"a\\": \\"\\\\\\"x\\\\\\"\\\\n\\"\}"\)$/
    );
  });
});

describe('originOf', () => {
  it.each([
    [undefined, null],
    [{ notebook: null, cell_id: null, script: null }, null],
    [
      { notebook: 'a.ipynb', cell_id: 'c', script: null },
      { notebook: 'a.ipynb', cellId: 'c', script: null }
    ],
    [
      { notebook: null, cell_id: null, script: '/x.py' },
      { notebook: null, cellId: null, script: '/x.py' }
    ]
  ])('reads %j', (origin, found) => {
    expect(originOf(detail('a', { origin }))).toEqual(found);
  });
});
