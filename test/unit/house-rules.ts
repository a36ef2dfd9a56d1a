import { basename } from 'node:path';
import ts from 'typescript';
import { placeOf, type SourceFile, walk } from './source-file.ts';

/** What one rule says about one file: a line for each place that breaks it. */
export type HouseRule = (file: SourceFile) => string[];

/** @source style.md 3, «Size». */
export const LIMITS = { fileLines: 300, lineChars: 100, functionLines: 60, parameters: 4 };

/** Makes a rule from a question asked of every node; the answer is what to say, or null. */
function ruleOf(ask: (node: ts.Node, file: SourceFile) => string | null): HouseRule {
  return (file) => {
    const broken: string[] = [];
    walk(file.tree, (node) => {
      const answer = ask(node, file);
      if (answer !== null) broken.push(`${placeOf(file, node)}: ${answer}`);
    });
    return broken;
  };
}

function linesOf(file: SourceFile): string[] {
  const lines = file.text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

export const fileLength: HouseRule = (file) => {
  const count = linesOf(file).length;
  return count > LIMITS.fileLines
    ? [`${file.path}: ${count} lines, at most ${LIMITS.fileLines}`]
    : [];
};

export const lineLength: HouseRule = (file) =>
  linesOf(file).flatMap((line, index) =>
    [...line].length > LIMITS.lineChars
      ? [`${file.path}:${index + 1}: ${[...line].length} characters, at most ${LIMITS.lineChars}`]
      : [],
  );

export const functionLength = ruleOf((node, file) => {
  if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return null;
  const first = file.tree.getLineAndCharacterOfPosition(node.getStart(file.tree)).line;
  const lines = file.tree.getLineAndCharacterOfPosition(node.end).line - first + 1;
  return lines > LIMITS.functionLines
    ? `a function of ${lines} lines, at most ${LIMITS.functionLines}`
    : null;
});

export const parameterCount = ruleOf((node) => {
  if (!ts.isFunctionLike(node)) return null;
  const count = node.parameters.length;
  return count > LIMITS.parameters ? `${count} parameters, at most ${LIMITS.parameters}` : null;
});

export const fileName: HouseRule = ({ path }) => {
  const name = basename(path).replace(/(\.test|\.d)?\.m?[tj]s$/, '');
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) return [`${path}: names are kebab-case`];
  return /(^|-)(utils?|helpers?|manager|misc|common)$/.test(name)
    ? [`${path}: name the one noun that it holds`]
    : [];
};

/** What a type checker can't see through. */
export const honestTypes = ruleOf((node) => {
  if (node.kind === ts.SyntaxKind.AnyKeyword) return '`any`: say the type, or `unknown`';
  if (!ts.isAsExpression(node) || !ts.isAsExpression(node.expression)) return null;
  return node.expression.type.kind === ts.SyntaxKind.UnknownKeyword
    ? '`as unknown as`: narrow, or build a value of the type'
    : null;
});

// Spelt in halves so that these files are not their own offenders.
const LEFT_FOR_LATER = new RegExp(`\\b(${['TO', 'DO|FIX', 'ME|X', 'XX|HA', 'CK'].join('')})\\b`);
const CHECKER_OFF = new RegExp(`@ts-${'(ignore|expect-error|nocheck)'}`);

export const nothingLeft: HouseRule = (file) =>
  linesOf(file).flatMap((line, index) => {
    const place = `${file.path}:${index + 1}`;
    if (LEFT_FOR_LATER.test(line)) return [`${place}: finish it, or put it into an issue`];
    return CHECKER_OFF.test(line) ? [`${place}: the type checker stays on`] : [];
  });

function isSilent(body: ts.ConciseBody): boolean {
  if (ts.isBlock(body)) return body.statements.length === 0;
  return /^(undefined|null|void 0|\{\})$/.test(body.getText());
}

/** No `catch {}`, and no `.catch` whose handler does nothing. */
export const loudCatch = ruleOf((node) => {
  if (ts.isCatchClause(node)) {
    return node.block.statements.length === 0 ? 'an empty catch hides what went wrong' : null;
  }
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return null;
  const handler = node.arguments[0];
  if (node.expression.name.text !== 'catch' || handler === undefined) return null;
  return ts.isArrowFunction(handler) && isSilent(handler.body)
    ? 'a silent .catch hides what went wrong'
    : null;
});

/** Global to what stands in for it where time, chance and the world come in by ports. */
const WORLD = new Map([
  ['Date', 'ports/clock'],
  ['performance', 'ports/clock'],
  ['setTimeout', 'ports/clock'],
  ['setInterval', 'ports/clock'],
  ['setImmediate', 'ports/clock'],
  ['queueMicrotask', 'ports/clock'],
  ['crypto', 'ports/random or ports/hasher'],
  ['WebAssembly', 'ports/hasher, packer or conflicts'],
  ['process', 'an argument'],
  ['console', 'an effect'],
  ['fetch', 'ports/link'],
]);

function isGlobalName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  const declares = 'name' in parent && parent.name === node;
  return !declares && !(ts.isQualifiedName(parent) && parent.right === node);
}

/** Pure rooms have no clock, chance, network or disk of their own. */
export const pureRoom = ruleOf((node) => {
  if (!ts.isIdentifier(node) || !isGlobalName(node)) return null;
  if (node.text === 'Math' && ts.isPropertyAccessExpression(node.parent)) {
    return node.parent.name.text === 'random' ? 'Math.random: take it from ports/random' : null;
  }
  const instead = WORLD.get(node.text);
  return instead === undefined ? null : `${node.text}: take it from ${instead}`;
});

/** Decisions are synchronous: nothing moves between a check and the change it guards. */
export const synchronous = ruleOf((node) => {
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return 'async: decisions are synchronous';
  return ts.isAwaitExpression(node) ? 'await: decisions are synchronous' : null;
});

const SLEEPERS = new Set(['only', 'skip', 'todo', 'fails', 'skipIf', 'runIf']);
const RUNNERS = new Set(['test', 'it', 'describe', 'suite', 'bench']);

/** A test that runs alone, not at all, or until it passes, proves nothing. */
export const wakefulTest = ruleOf((node) => {
  if (!ts.isPropertyAccessExpression(node) || !SLEEPERS.has(node.name.text)) return null;
  const [runner] = node.expression.getText().split('.');
  return RUNNERS.has(runner!) ? `.${node.name.text}: every test runs, always` : null;
});
