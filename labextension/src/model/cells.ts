/** Cells that are written into notebooks, as text. Pure. */

const IMPORT = 'import covalent_lab as ct\n\n';

/** An expression that loads the result of a dispatch. */
export function resultCode(dispatchId: string): string {
  return `${IMPORT}ct.get_result(${quoted(dispatchId)}, wait=True).result`;
}

/** An expression that loads the output of a node. */
export function outputCode(dispatchId: string, nodeId: number): string {
  return `${IMPORT}ct.get_result(${quoted(dispatchId)}).get_node_result(${nodeId})["output"].get_deserialized()`;
}

/** An expression that loads what a dispatch was called with. */
export function inputsCode(dispatchId: string): string {
  return `${IMPORT}ct.get_result(${quoted(dispatchId)}).inputs.get_deserialized()`;
}

/** Runs a dispatch again with some arguments changed; their values are expressions. */
export function rerunCode(
  dispatchId: string,
  changes: Readonly<Record<string, string>>,
  reusesResults: boolean
): string {
  const id = quoted(dispatchId);
  const lines = Object.entries(changes).map(([name, value]) => `    ${name}=${value},\n`);
  const reuse = reusesResults ? ', reuse_previous_results=True' : '';
  return (
    'import covalent_lab as ct\nfrom covalent_lab.notebook.forms import arguments_of\n\n' +
    `call = arguments_of(${id})\n` +
    (lines.length > 0 ? `call.arguments.update(\n${lines.join('')})\n` : '') +
    `ct.redispatch(${id}${reuse})(*call.args, **call.kwargs)`
  );
}

/** Runs a dispatch again with another function in the place of one; what it does not affect is taken over. */
export function replaceCode(dispatchId: string, functionName: string): string {
  return (
    `${IMPORT}ct.redispatch(\n    ${quoted(dispatchId)},\n` +
    `    replace_electrons={${quoted(functionName)}: ${functionName}},\n` +
    '    reuse_previous_results=True,\n)()'
  );
}

/** Steps through the call of a node in the kernel. */
export function debugCode(dispatchId: string, nodeId: number): string {
  return `%load_ext covalent_lab\n%covalent debug ${dispatchId} ${nodeId}`;
}

/** Whether a cell defines a function (or assigns something) of this name. */
export function isDefinedIn(source: string, name: string): boolean {
  return new RegExp(`^(?:async\\s+)?(?:def\\s+${name}\\s*\\(|${name}\\s*=[^=])`, 'm').test(source);
}

/** An expression whose value answers with JSON: a function of the kernel's side of forms. */
export function formExpression(name: 'form_of' | 'check', argument: string): string {
  return `__import__("covalent_lab.notebook.forms", fromlist=["forms"]).${name}(${quoted(argument)})`;
}

/** JSON's strings are Python's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
