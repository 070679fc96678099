import ts from 'typescript';
import { lineOf, type SourceFile } from './source-tree.ts';

export const MAX_FUNCTION_LINES = 70;
/** A component's markup is formatted one attribute a line: the same to read takes more lines. */
const MAX_COMPONENT_LINES = 110;
export const MAX_FILE_LINES = 500;
/** A list of tests is not read at once. */
const MAX_TEST_FILE_LINES = 800;

/** What breaks the style, by rule, each as `path:line what`. */
export interface StyleComplaints {
  readonly any: string[];
  readonly nonNull: string[];
  readonly longFunction: string[];
  readonly longFile: string[];
}

export function findStyleComplaints(files: readonly SourceFile[]): StyleComplaints {
  const complaints: StyleComplaints = { any: [], nonNull: [], longFunction: [], longFile: [] };
  for (const file of files) {
    const suites = new Set<ts.Node>();
    const maxFunctionLines = file.path.endsWith('.tsx') ? MAX_COMPONENT_LINES : MAX_FUNCTION_LINES;
    const visit = (node: ts.Node): void => {
      const where = (): string => `${file.path}:${lineOf(file.tree, node)}`;
      if (node.kind === ts.SyntaxKind.AnyKeyword) complaints.any.push(`${where()} any`);
      const asserted = findAsserted(node, file.tree);
      if (asserted !== undefined) complaints.nonNull.push(`${where()} ${asserted}`);
      addSuite(node, file.tree, suites);
      const lines = suites.has(node) ? 0 : countFunctionLines(node, file.tree);
      if (lines > maxFunctionLines) complaints.longFunction.push(`${where()} function of ${lines} lines`);
      ts.forEachChild(node, visit);
    };
    visit(file.tree);
    const lines = file.text.trimEnd().split('\n').length;
    if (lines > (file.isTest ? MAX_TEST_FILE_LINES : MAX_FILE_LINES))
      complaints.longFile.push(`${file.path} has ${lines} lines`);
  }
  return complaints;
}

/** `a!`, and the `name!: Type` of a field or variable. */
function findAsserted(node: ts.Node, tree: ts.SourceFile): string | undefined {
  if (ts.isNonNullExpression(node)) return `${node.expression.getText(tree)}!`;
  const isDeclaration = ts.isPropertyDeclaration(node) || ts.isVariableDeclaration(node);
  return isDeclaration && node.exclamationToken !== undefined ? `${node.name.getText(tree)}!:` : undefined;
}

/** The callback of `describe` and a suite for every implementation are lists of tests, not functions to read at once. */
function addSuite(node: ts.Node, tree: ts.SourceFile, suites: Set<ts.Node>): void {
  if (ts.isFunctionDeclaration(node) && /^describe[A-Z]/.test(node.name?.text ?? '')) suites.add(node);
  if (!ts.isCallExpression(node) || !/^describe\b/.test(node.expression.getText(tree))) return;
  for (const argument of node.arguments) suites.add(argument);
}

function countFunctionLines(node: ts.Node, tree: ts.SourceFile): number {
  if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return 0;
  return tree.getLineAndCharacterOfPosition(node.end).line + 2 - lineOf(tree, node);
}
