import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { parseSource, placeOf, readSources, type SourceFile, walk } from './source-file.ts';

/** @source architecture.md, «The house». */
const MIDDLE = [
  ...['kernel', 'schema', 'identity', 'dataflow', 'log', 'consensus', 'saga', 'behavior'],
  ...['storage', 'stream', 'gossip', 'hardware'],
];
const FACES = ['api', 'cli', 'dashboard', 'fleet'];

/** Room to the rooms that it may import, its own always being one. `.` is src/ itself. */
const LAW = new Map<string, readonly string[]>([
  ['model', []],
  ['ports', ['model']],
  ...MIDDLE.map((room) => [room, ['model', 'ports']] as const),
  ['participant', ['model', 'ports', ...MIDDLE]],
  ...FACES.map((room) => [room, ['model', 'participant', ...FACES]] as const),
  ['.', ['model', 'ports', 'participant', ...FACES]],
]);

/** Rooms that touch the world: `node:*` and packages are for them alone. */
const ADAPTERS = new Set([
  ...['kernel', 'schema', 'identity', 'behavior', 'storage', 'gossip', 'hardware'],
  ...['participant', ...FACES],
]);

interface Import {
  readonly from: string;
  readonly to: string;
  readonly place: string;
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node))
    return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node;
  if (!ts.isCallExpression(node)) return undefined;
  const callee = node.expression;
  const loads =
    callee.kind === ts.SyntaxKind.ImportKeyword ||
    (ts.isIdentifier(callee) && callee.text === 'require');
  return loads ? node.arguments[0] : undefined;
}

/** Everything that a file imports; what it computes to import is not allowed and named as such. */
function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  walk(file.tree, (node) => {
    const specifier = specifierOf(node);
    if (specifier === undefined) return;
    const to = ts.isStringLiteralLike(specifier) ? specifier.text : '<computed>';
    const target = to.startsWith('.') ? posix.join(posix.dirname(file.path), to) : to;
    found.push({ from: file.path, to: target, place: placeOf(file, node) });
  });
  return found;
}

function roomOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1]! : '.';
}

function judge(each: Import, declared: ReadonlySet<string>): string | null {
  const room = roomOf(each.from);
  const allowed = LAW.get(room);
  if (allowed === undefined) return `${each.place}: no room ${room} in the law`;
  if (each.to.startsWith('src/')) {
    const other = roomOf(each.to);
    return other === room || allowed.includes(other)
      ? null
      : `${each.place}: ${room} may not import ${other}`;
  }
  if (!ADAPTERS.has(room)) return `${each.place}: ${room} may not import ${each.to}`;
  if (each.to.startsWith('node:')) return null;
  const name = each.to
    .split('/')
    .slice(0, each.to.startsWith('@') ? 2 : 1)
    .join('/');
  return declared.has(name) ? null : `${each.place}: ${name} is no dependency of package.json`;
}

/** @returns for each file that closes a cycle, the files of that cycle in their order. */
function findCycles(imports: readonly Import[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const cycles: string[][] = [];
  const done = new Set<string>();
  const follow = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path]);
    if (done.has(path) || trail.includes(path)) return;
    for (const target of next.get(path) ?? []) follow(target, [...trail, path]);
    done.add(path);
  };
  for (const start of next.keys()) follow(start, []);
  return cycles;
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const declared = new Set(
  Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }),
);
const imports = readSources('src').flatMap(importsOf);

describe('the import law', () => {
  test('every file imports only what its room may', () => {
    expect(imports.length).toBeGreaterThan(0);
    expect(imports.flatMap((each) => judge(each, declared) ?? [])).toEqual([]);
  });

  test('no file imports itself by way of others', () => {
    expect(findCycles(imports)).toEqual([]);
  });

  test.each([
    ['src/model/x.ts', `import { y } from '../ports/y.ts'`],
    ['src/model/x.ts', `import { hash } from 'node:crypto'`],
    ['src/ports/x.ts', `export type { Y } from '../kernel/y.ts'`],
    ['src/gossip/x.ts', `type Y = import('../consensus/y.ts').Y`],
    ['src/storage/x.ts', `const y = await import('../schema/y.ts')`],
    ['src/consensus/x.ts', `import { decode } from 'cborg'`],
    ['src/kernel/x.ts', `import { left } from 'leftpad'`],
    ['src/kernel/x.ts', `const y = await import(name)`],
    ['src/participant/x.ts', `import '../cli/y.ts'`],
    ['src/cli/x.ts', `import '../storage/y.ts'`],
    ['src/attic/x.ts', `import '../model/y.ts'`],
  ])('%s may not: %s', (path, text) => {
    const [only] = importsOf(parseSource(path, text));
    expect(judge(only!, declared)).toContain(path);
  });

  test('a cycle of type imports is a cycle', () => {
    const files = [
      parseSource('src/model/a.ts', `import type { B } from './b.ts'`),
      parseSource('src/model/b.ts', `export type { C } from './c.ts'`),
      parseSource('src/model/c.ts', `import { a } from './a.ts'`),
    ];
    const [only, ...others] = findCycles(files.flatMap(importsOf));
    expect(only).toHaveLength(4);
    expect(others).toEqual([]);
  });
});
