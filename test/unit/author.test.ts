import { describe, expect, expectTypeOf, test } from 'vitest';
import { defineBehavior } from '../../src/behavior/author.ts';
import type { JsonRecord } from '../../src/ports/sandbox.ts';

interface Pacts {
  reading: { celsius: number };
  fan_order: { on: boolean };
}

describe('defineBehavior', () => {
  test('is what it is given, and types it by the Pacts', () => {
    const definition = defineBehavior<Pacts, 'reading'>({
      consumes: ['reading'],
      produces: ['fan_order'],
      run(ctx) {
        expectTypeOf(ctx.entry).toEqualTypeOf<{ celsius: number }>();
        expectTypeOf(ctx.query<'reading'>).returns.toEqualTypeOf<{ celsius: number }[]>();
        expectTypeOf(ctx.produce<'fan_order'>)
          .parameter(1)
          .toEqualTypeOf<{ on: boolean }>();
        expectTypeOf(ctx.fail).returns.toEqualTypeOf<never>();
      },
    });
    expect(definition.consumes).toEqual(['reading']);
    expectTypeOf<NonNullable<typeof definition.produces>[number]>().toEqualTypeOf<keyof Pacts>();
  });

  test('takes any Pact where none is given', () => {
    const definition = defineBehavior({
      consumes: ['whatever'],
      run(ctx) {
        expectTypeOf(ctx.entry).toEqualTypeOf<JsonRecord>();
      },
    });
    expect(typeof definition.run).toBe('function');
  });
});
