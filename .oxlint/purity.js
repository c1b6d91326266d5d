/**
 * The rule of the house: effects only in effect files. Everything else has no clock, no file system, no environment,
 * no processes, and may import effect files for their types only. Each library with effects has one importing file.
 */

/** Where effects are allowed, as parts of paths below src/. */
const EFFECT_FILES = [
  /\.execute\.ts$/,
  /\/execute\.ts$/,
  /\.run\.ts$/,
  /\/src\/(main|context|log)\.ts$/,
  /\/src\/exec\/(run|lock|opened|files|boot|ssh|ssh-channel|ssh-known)\.ts$/,
  /\/src\/config\/(load|find|ownership|check)\.ts$/,
  /\/src\/commands\/argv\.ts$/,
  /\/src\/care\/client-shells\.ts$/,
  /\/src\/show\/(progress|screen)\.ts$/,
];
/** Modules without effects; all other node: modules have some. */
const PURE_MODULES = new Set(['node:crypto', 'node:path', 'node:util', 'node:buffer', 'node:url']);
/** Each of these is imported by this one file. */
const SINGLE_IMPORTERS = {
  execa: /\/src\/exec\/run\.ts$/,
  pino: /\/src\/log\.ts$/,
  ssh2: /\/src\/exec\/ssh\.ts$/,
  libsql: /\/src\/catalog\/database\.ts$/,
};
const GLOBALS = new Set(['process', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'fetch']);

const isEffectFile = (path) => EFFECT_FILES.some((pattern) => pattern.test(path));

function checkImport(context, node) {
  const from = node.source.value;
  const typeOnly = node.importKind === 'type';
  const allowed = SINGLE_IMPORTERS[from];
  if (allowed !== undefined && !allowed.test(context.filename)) {
    context.report({ node, message: `${from} has one importing file, and this is not it.` });
  }
  if (from === 'node:child_process' || from === 'child_process') {
    context.report({ node, message: 'Processes are started by exec/run.ts alone.' });
  }
  if (isEffectFile(context.filename) || typeOnly) return;
  if (from.startsWith('node:') && !PURE_MODULES.has(from)) {
    context.report({ node, message: `${from} has effects: not in a pure file.` });
  }
  if (from.startsWith('.') && isEffectFile(new URL(from, `file://${context.filename}`).pathname)) {
    const values = node.specifiers.filter((specifier) => specifier.importKind !== 'type');
    if (values.length > 0 || node.specifiers.length === 0) {
      context.report({ node, message: `${from} has effects: a pure file may import its types only.` });
    }
  }
}

const pure = {
  create(context) {
    if (!/\/src\/.*\.ts$/.test(context.filename)) return {};
    const here = isEffectFile(context.filename);
    const ban = (node, what) => here || context.report({ node, message: `${what}: not in a pure file.` });
    return {
      ImportDeclaration: (node) => checkImport(context, node),
      MemberExpression(node) {
        if (node.object.type !== 'Identifier' || node.computed) return;
        const name = `${node.object.name}.${node.property.name}`;
        if (name === 'Date.now') ban(node, 'the clock');
        if (name === 'Math.random') ban(node, 'chance');
        if (GLOBALS.has(node.object.name)) ban(node, node.object.name);
      },
      CallExpression(node) {
        if (node.callee.type === 'Identifier' && GLOBALS.has(node.callee.name)) ban(node, node.callee.name);
      },
      NewExpression(node) {
        if (node.callee.type === 'Identifier' && node.callee.name === 'Date' && node.arguments.length === 0) {
          ban(node, 'the clock');
        }
      },
    };
  },
};

export default { meta: { name: 'purity' }, rules: { pure } };
