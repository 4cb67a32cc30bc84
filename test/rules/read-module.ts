import { type Expression, type MemberExpression, type Program, parseSync, Visitor } from 'oxc-parser';

/** One `from '…'`, `import('…')` or `typeof import('…')` of a module. */
export interface Import {
  /** What is written between the quotes; of a template, the text before its first `${`. Null when neither. */
  readonly specifier: string | null;
  /** Values are taken by name or as the default: all but `import * as`, `import 'x'` and type imports. */
  readonly byName: boolean;
  readonly line: number;
}

/** What the rules need to know of one module. */
export interface Module {
  readonly imports: readonly Import[];
  /** Lines that export a default. */
  readonly defaultExports: readonly number[];
  /** Lines that read the environment, in whatever spelling. */
  readonly environmentReads: readonly number[];
  /** The module does nothing but hand on what others export. */
  readonly onlyReExports: boolean;
  readonly lines: number;
}

/**
 * A full parse, because a type import creates a dependency too and bundlers have dropped it by the time they
 * report, and because a regular expression is fooled by a comment. Throws when the file does not parse: a
 * file that cannot be read must never count as one without violations.
 */
export function readModule(file: string, source: string): Module {
  const { program, errors } = parseSync(file, source, {
    lang: file.endsWith('x') ? 'tsx' : 'ts',
    sourceType: 'module',
  });
  if (errors.length > 0) throw new SyntaxError(`${file} does not parse: ${errors[0]?.message}`);
  const lineAt = (offset: number) => source.slice(0, offset).split('\n').length;
  const imports: Import[] = [];
  const defaultExports: number[] = [];
  const environmentReads: number[] = [];
  const add = (specifier: string | null, start: number, byName = false) =>
    imports.push({ specifier, byName, line: lineAt(start) });

  new Visitor({
    ImportDeclaration(node) {
      const named = node.specifiers.some(
        (one) =>
          one.type !== 'ImportNamespaceSpecifier' &&
          !(one.type === 'ImportSpecifier' && one.importKind === 'type'),
      );
      add(node.source.value, node.start, node.importKind !== 'type' && named);
    },
    ExportAllDeclaration: (node) => void add(node.source.value, node.start),
    ExportNamedDeclaration(node) {
      if (node.source !== null) add(node.source.value, node.start, node.exportKind !== 'type');
      if (node.specifiers.some((one) => nameOf(one.exported) === 'default'))
        defaultExports.push(lineAt(node.start));
    },
    ExportDefaultDeclaration: (node) => void defaultExports.push(lineAt(node.start)),
    ImportExpression: (node) => void add(literalStart(node.source), node.start, true),
    TSImportType: (node) => void add(node.source.value, node.start),
    TSExternalModuleReference: (node) => void add(node.expression.value, node.start, true),
    MemberExpression(node) {
      if (isProcess(node.object) && nameOf(node.property) === 'env')
        environmentReads.push(lineAt(node.start));
    },
    VariableDeclarator(node) {
      if (node.id.type === 'ObjectPattern' && node.init !== null && isProcess(node.init))
        environmentReads.push(lineAt(node.start));
    },
  }).visit(program);

  const lines = source.trimEnd().split('\n').length;
  return { imports, defaultExports, environmentReads, onlyReExports: onlyReExports(program), lines };
}

function onlyReExports(program: Program): boolean {
  return (
    program.body.length > 0 &&
    program.body.every(
      (node) =>
        node.type === 'ExportAllDeclaration' ||
        (node.type === 'ExportNamedDeclaration' && node.source !== null),
    )
  );
}

/** The path that is sure before a template's first hole: enough to know the room. */
function literalStart(node: Expression): string | null {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : null;
  if (node.type !== 'TemplateLiteral') return null;
  return node.quasis[0]?.value.cooked || null;
}

/** `process`, `globalThis.process`. */
function isProcess(node: Expression | MemberExpression['object']): boolean {
  if (node.type === 'Identifier') return node.name === 'process';
  return node.type === 'MemberExpression' && nameOf(node.property) === 'process';
}

function nameOf(node: { readonly type: string }): unknown {
  if ('name' in node) return node.name;
  return 'value' in node ? node.value : undefined;
}
