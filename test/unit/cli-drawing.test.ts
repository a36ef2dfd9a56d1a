import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawSvg } from '../../src/cli/dag-svg.ts';
import { drawText } from '../../src/cli/dag-text.ts';
import type { DagReport } from '../../src/participant/face.ts';
import { SAMPLE_DAG } from './cli-sample-face.ts';

/** Tags in their order; throws where they do not nest, as an XML reader would. */
function tagsOf(svg: string): string[] {
  const open: string[] = [];
  const all: string[] = [];
  for (const [, slash, name, rest] of svg.matchAll(/<(\/?)([a-zA-Z]+)([^<>]*)>/g)) {
    if (slash === '/') expect(open.pop()).toBe(name);
    else {
      all.push(name!);
      if (!rest!.endsWith('/')) open.push(name!);
    }
  }
  expect(open).toEqual([]);
  return all;
}

const countOf = (text: string, part: string) => text.split(part).length - 1;

describe('the drawing of the SIC-DAG', () => {
  const svg = drawSvg(SAMPLE_DAG);

  test('has a box for each Metablock and an arrow to each predecessor that is drawn', () => {
    expect(countOf(svg, '<g>')).toBe(SAMPLE_DAG.nodes.length);
    const ids = new Set(SAMPLE_DAG.nodes.map((node) => node.id));
    const links = SAMPLE_DAG.nodes.flatMap((node) =>
      node.predecessors.filter(
        (each) => each.metablock !== null && ids.has(each.metablock as never),
      ),
    );
    expect(countOf(svg, 'class="arrow"')).toBe(links.length);
    expect(links.length).toBe(8);
  });

  test('has a column for each Generation and a row for each issuer', () => {
    expect(countOf(svg, 'class="rule"')).toBe(5);
    expect(countOf(svg, 'class="issuer"')).toBe(3);
  });

  test('shows the three states and what they are called', () => {
    for (const [state, count] of [
      ['finalized', 4],
      ['finalizable', 2],
      ['prepared', 3],
    ] as const) {
      const legend = state === 'finalized' ? 2 : 1;
      expect(svg.match(new RegExp(`class="node ${state}( closing)?"`, 'g'))).toHaveLength(
        count + legend,
      );
    }
    for (const name of ['Prepared', 'Finalizable', 'Finalized']) expect(svg).toContain(`>${name}<`);
  });

  test('is the same for the same Metablocks', () => {
    expect(drawSvg(SAMPLE_DAG)).toBe(svg);
  });

  test('puts no two Metablocks on one place', () => {
    const places = [
      ...svg.matchAll(/<rect class="node \w+(?: closing)?" x="(\S+)" y="(\S+)" width="78"/g),
    ];
    expect(places).toHaveLength(SAMPLE_DAG.nodes.length);
    expect(new Set(places.map(([, x, y]) => `${x} ${y}`)).size).toBe(places.length);
  });

  test('of nothing is a drawing that says so', () => {
    const empty = drawSvg({ nodes: [] });
    tagsOf(empty);
    expect(empty).toContain('no Metablocks yet');
    expect(drawText({ nodes: [] })).toContain('No Metablocks');
  });

  test('stays well-formed whatever peers call themselves, and steers no terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (name) => {
        const hostile: DagReport = {
          nodes: SAMPLE_DAG.nodes.map((node) => ({
            ...node,
            issuer: `${name}<script>"&'`,
            groups: [`${name}</svg>`],
          })),
        };
        const drawn = drawSvg(hostile);
        expect(tagsOf(drawn)).not.toContain('script');
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
        expect(drawn).not.toMatch(/[\u0000-\u0009\u000b-\u001f\ufffe\uffff]/);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
        expect(drawText(hostile)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      }),
      { numRuns: 50 },
    );
  });

  test('as text names every Metablock with its predecessors, Generation by Generation', () => {
    const text = drawText(SAMPLE_DAG);
    expect(text.match(/^Generation \d$/gm)).toHaveLength(5);
    expect(text.match(/^ {2}[o*#] /gm)).toHaveLength(SAMPLE_DAG.nodes.length);
    const [first, , third] = SAMPLE_DAG.nodes;
    const line = text.split('\n').find((each) => each.includes(third!.id.slice(0, 8)));
    expect(line).toContain(`<- ${first!.id.slice(0, 8)}`);
  });
});
