import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export type ErrorCode = {
  code: string;
  /** How it ends a command: its exit codes; `warning` for what is reported while the work goes on. */
  endings: Set<string>;
  /** Messages in the source, with `…` for what is only known at run time. */
  messages: Set<string>;
};

const codePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** The codes of all errors and warnings that the source in `folder` can report, by name. */
export function collectErrorCodes(folder: string): ErrorCode[] {
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) =>
      ts.createSourceFile(
        file,
        readFileSync(join(folder, file), 'utf8'),
        ts.ScriptTarget.Latest,
        /* setParentNodes */ true,
      ),
    );
  const classes = errorClasses(sources);
  const makers = errorMakers(sources, classes);
  const found = new Map<string, ErrorCode>();
  const add = (code: string, ending: string, message: string | undefined): void => {
    const entry = found.get(code) ?? { code, endings: new Set(), messages: new Set() };
    found.set(code, entry);
    entry.endings.add(ending);
    if (message !== undefined && /[a-z]{3}/.test(message)) entry.messages.add(message);
  };
  for (const source of sources) visit(source);
  return [...found.values()].sort((a, b) => (a.code < b.code ? -1 : 1));

  function visit(node: ts.Node): void {
    if (ts.isNewExpression(node) && ts.isIdentifier(node.expression)) {
      const [name, args] = [node.expression.text, node.arguments ?? []];
      if (classes.has(name) || args.slice(2).some(describesError)) addConstruction(name, args);
    } else if (
      ts.isCallExpression(node) &&
      ts.isIdentifier(node.expression) &&
      makers.has(node.expression.text)
    ) {
      addConstruction(makers.get(node.expression.text) ?? '', node.arguments);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword) {
      const { name, base } = classAround(node);
      if (name !== undefined && base !== undefined && classes.has(base))
        addConstruction(base, node.arguments);
    } else if (ts.isObjectLiteralExpression(node)) {
      addDescription(node);
    }
    ts.forEachChild(node, visit);
  }

  function addConstruction(name: string, [code, message, ...options]: readonly ts.Expression[]): void {
    if (code === undefined) return;
    const exit = options.map(exitCodeIn).find((each) => each !== undefined);
    for (const text of literals(code)) {
      add(text, exit ?? (classes.get(name) === 'usage' ? '2' : '1'), message && shape(message));
    }
  }

  /** Warnings and what is wrong with a port are objects with a code and fixes. */
  function addDescription(node: ts.ObjectLiteralExpression): void {
    const values = new Map(
      node.properties
        .filter(ts.isPropertyAssignment)
        .map((each) => [each.name.getText(), each.initializer] as const),
    );
    const code = values.get('code');
    const message =
      values.get('text') ?? values.get('reason') ?? values.get('error') ?? values.get('message');
    const warns = values.get('kind')?.getText() === "'warning'";
    if (code === undefined || !(warns || describesError(node))) return;
    const ending = warns || values.has('reason') ? 'warning' : '1';
    for (const text of literals(code)) add(text, ending, message && shape(message));
  }
}

/** Functions that make an error with the code that they are given first, each with the error's class. */
function errorMakers(
  sources: readonly ts.SourceFile[],
  classes: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, string> {
  const makers = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && classes.has(node.expression.text)) {
      const [code] = node.arguments ?? [];
      const maker = functionAround(node);
      const parameter = maker?.node.parameters[0]?.name.getText();
      if (maker !== undefined && code?.getText() === parameter) makers.set(maker.name, node.expression.text);
    }
    ts.forEachChild(node, visit);
  };
  sources.forEach(visit);
  return makers;
}

function functionAround(node: ts.Node): { name: string; node: ts.SignatureDeclaration } | undefined {
  for (let at = node; !ts.isSourceFile(at); at = at.parent) {
    if (ts.isFunctionDeclaration(at)) return at.name && { name: at.name.text, node: at };
    if (ts.isArrowFunction(at)) {
      return ts.isVariableDeclaration(at.parent) ? { name: at.parent.name.getText(), node: at } : undefined;
    }
  }
  return undefined;
}

/** Whether this is an object with the options of an error. */
function describesError(node: ts.Expression): boolean {
  return (
    ts.isObjectLiteralExpression(node) &&
    node.properties.some(({ name }) => name?.getText() === 'fixes' || name?.getText() === 'cause')
  );
}

/** U7sError and all that extends it, each with whether it is about usage. */
function errorClasses(sources: readonly ts.SourceFile[]): Map<string, 'failure' | 'usage'> {
  const bases = new Map<string, string>();
  for (const source of sources) {
    ts.forEachChild(source, (node) => {
      if (!ts.isClassDeclaration(node) || node.name === undefined) return;
      const base = baseOf(node);
      if (base !== undefined) bases.set(node.name.text, base);
    });
  }
  const classes = new Map<string, 'failure' | 'usage'>([['U7sError', 'failure']]);
  for (let before = 0; before !== classes.size;) {
    before = classes.size;
    for (const [name, base] of bases) {
      const kind = classes.get(base);
      if (kind !== undefined) classes.set(name, name === 'UsageError' ? 'usage' : kind);
    }
  }
  return classes;
}

function baseOf(node: ts.ClassLikeDeclaration): string | undefined {
  const clause = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword);
  return clause?.types[0]?.expression.getText();
}

function classAround(node: ts.Node): { name?: string; base?: string } {
  for (let at = node; ; at = at.parent) {
    if (ts.isClassDeclaration(at)) {
      const base = baseOf(at);
      return { ...(at.name && { name: at.name.text }), ...(base === undefined ? {} : { base }) };
    }
    if (ts.isSourceFile(at)) return {};
  }
}

function exitCodeIn(options: ts.Expression): string | undefined {
  if (!ts.isObjectLiteralExpression(options)) return undefined;
  for (const property of options.properties) {
    if (property.name?.getText() !== 'exitCode' || !ts.isPropertyAssignment(property)) continue;
    return ts.isNumericLiteral(property.initializer) ? property.initializer.text : '128 + signal';
  }
  return undefined;
}

/** The codes that an expression can be, as far as they stand in it. */
function literals(node: ts.Expression): string[] {
  if (ts.isStringLiteralLike(node)) return codePattern.test(node.text) ? [node.text] : [];
  if (ts.isParenthesizedExpression(node)) return literals(node.expression);
  if (ts.isBinaryExpression(node)) return [...literals(node.left), ...literals(node.right)];
  if (ts.isConditionalExpression(node)) return [...literals(node.whenTrue), ...literals(node.whenFalse)];
  return [];
}

/** The words of a message, `…` for the rest. */
function shape(node: ts.Expression): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isParenthesizedExpression(node)) return shape(node.expression);
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
  }
  if (ts.isBinaryExpression(node)) return shape(node.left) + shape(node.right);
  return '…';
}
