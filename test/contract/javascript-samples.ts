import type { BehaviorSample } from './sandbox.ts';

const run = (body: string): string => `export default { run(ctx) { ${body} } };`;

/** @source contract/sandbox.ts says what each does. */
export const JAVASCRIPT: Readonly<Record<BehaviorSample, string>> = {
  double: `export default {
    run(ctx) {
      ctx.log(ctx.entry.name);
      ctx.produce('order', { celsius: ctx.entry.celsius * 2 });
      ctx.produce('order', { celsius: ctx.entry.celsius * 3 });
      ctx.state.set({ n: (ctx.state.get()?.n ?? 0) + 1 });
    },
    undo(ctx) { ctx.produce('order', { celsius: -1 }); },
  };`,
  memory: `let count = 0; ${run(`
    count++;
    globalThis.left = count;
    ctx.produce('order', { celsius: count });`)}`,
  ask: run(`
    const rows = ctx.query('stock', { where: { name: 'bolt' }, limit: 5 });
    ctx.produce('order', { celsius: rows.length * 10 });`),
  stranger: run(`
    try { ctx.produce('secret', { celsius: 1 }); }
    catch (refusal) { ctx.produce('order', { celsius: 7 }); }`),
  refused: run(
    `try { ctx.produce('order', { celsius: 1 }); } catch (why) { ctx.log(why.message); }`,
  ),
  failing: run(`
    ctx.produce('order', { celsius: 1 });
    try { ctx.fail('out of stock'); } catch { ctx.produce('order', { celsius: 2 }); }`),
  endless: run('for (;;);'),
  bomb: run('const all = []; for (;;) all.push(new Array(10000).fill(all.length));'),
  deep: run('const deeper = (n) => deeper(n + 1) + 1; deeper(0);'),
  throwing: run(`throw new Error('broken on purpose');`),
  big: run(`for (;;) ctx.produce('order', { celsius: 1, more: 'x'.repeat(10000) });`),
  chance: run(`
    ctx.produce('order', { celsius: ctx.random() });
    ctx.produce('order', { celsius: Math.random() });
    ctx.produce('order', { celsius: Date.now() });`),
  device: run(`
    ctx.device('fan').set(true);
    ctx.log(ctx.device('probe').get().isHigh);
    ctx.device('probe').set(1);`),
  strangedevice: run(`ctx.device('door').get();`),
};
