/** An ESLint rule: what people read goes through the translator, word for word, so that it can be found there. */

/** Words; not names of streams, which stay as they are. */
const WORDS = /^(?!\s*(stdout|stderr)\s*$)[^]*\p{L}{2}/u;
const SHOWN =
  /^(alt|body|caption|category|label|okLabel|cancelLabel|placeholder|summary|title|tooltip|text|textContent|innerText|ariaLabel|ariaDescription|aria-(label|description|placeholder|roledescription|valuetext))$/;
/** Functions that show their first argument. */
const SHOWING = /^(fillText|Option|createTextNode|error|warning|info|success|showErrorMessage)$/;
const TRANSLATORS = { __: [0], gettext: [0], _n: [0, 1], _p: [0, 1], _np: [0, 1, 2] };

/** The literals that a value can come from, through `?:`, `||`, `+` and templates. */
function literals(node) {
  switch (node?.type) {
    case 'Literal':
      return typeof node.value === 'string' && WORDS.test(node.value) ? [node] : [];
    case 'TemplateLiteral': {
      const isWorded = node.quasis.some(part => WORDS.test(part.value.cooked ?? ''));
      return isWorded ? [node] : node.expressions.flatMap(literals);
    }
    case 'ConditionalExpression':
      return [...literals(node.consequent), ...literals(node.alternate)];
    case 'LogicalExpression':
    case 'BinaryExpression':
      return /^(\+|\|\||&&|\?\?)$/.test(node.operator)
        ? [...literals(node.left), ...literals(node.right)]
        : [];
    case 'JSXExpressionContainer':
      return literals(node.expression);
    case 'TSAsExpression':
      return literals(node.expression);
    default:
      return [];
  }
}

function nameOf(node) {
  return node?.property?.name ?? node?.name ?? node?.value ?? '';
}

export const translated = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      plain: 'Pass texts that people see through texts.__ or texts._n.',
      computed: 'Write the text here as it is; a computed one cannot be found by translators.'
    }
  },
  create(context) {
    const check = value =>
      literals(value).forEach(node => context.report({ node, messageId: 'plain' }));
    return {
      JSXText: node => WORDS.test(node.value) && context.report({ node, messageId: 'plain' }),
      JSXAttribute: node => SHOWN.test(node.name.name) && check(node.value),
      'JSXElement > JSXExpressionContainer': check,
      'JSXFragment > JSXExpressionContainer': check,
      Property: node => SHOWN.test(nameOf(node.key)) && check(node.value),
      AssignmentExpression: node => SHOWN.test(nameOf(node.left)) && check(node.right),
      NewExpression: node => SHOWING.test(nameOf(node.callee)) && check(node.arguments[0]),
      CallExpression: node => {
        const name = nameOf(node.callee);
        if (name === 'setAttribute' && SHOWN.test(nameOf(node.arguments[0]))) {
          check(node.arguments[1]);
        } else if (node.callee.object?.name !== 'console' && SHOWING.test(name)) {
          check(node.arguments[0]);
        }
        for (const at of Object.hasOwn(TRANSLATORS, name) ? TRANSLATORS[name] : []) {
          const argument = node.arguments[at];
          if (typeof argument?.value !== 'string') {
            context.report({ node: argument ?? node, messageId: 'computed' });
          }
        }
      }
    };
  }
};
