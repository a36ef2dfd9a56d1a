import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkRetention } from '../../src/participant/doctor-retention.ts';
import { Stage } from './cli-stage.ts';
import { Hub } from './participant-hub.ts';

const DOOR = readFileSync(new URL('../../examples/pacts/door.json', import.meta.url), 'utf8');

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(async () => await stage.end());

const check = (environment: Record<string, string> = {}) =>
  checkRetention(stage.world, { home: stage.home, environment });

/** A database that knows a Pact. */
async function know(pact: string): Promise<void> {
  const agent = new Hub().open('a', 1, {}, stage.world.databaseFile);
  await agent.start();
  await agent.addPact(pact);
  await agent.close();
}

describe('the doctor on retention', () => {
  test('has nothing to say where nothing is kept yet', async () => {
    expect(await check()).toMatchObject({ state: 'ok', found: 'nothing to keep yet' });
  });

  test('names the Pacts of which all is kept, and no built-in one', async () => {
    await know(DOOR);
    const finding = await check();
    expect(finding.check).toBe('farm: retention');
    // Whether the disk fills is the disk's affair: only then there is something to mend.
    expect(finding.found).toMatch(/^all is kept of door(, and the disk fills)?$/);
    expect(finding.mend === null).toBe(finding.state === 'ok');
  });

  test('is content with bounds in the Pact, and not where the settings lift them', async () => {
    await know(JSON.stringify({ ...JSON.parse(DOOR), retention: { count: 100 } }));
    expect(await check()).toMatchObject({ state: 'ok', found: 'every Pact has bounds' });
    const lifted = await check({ VERTEBRA_RETENTION: 'unlimited' });
    expect(lifted.found).toContain('all is kept of door');
  });

  test('is content with bounds in the settings', async () => {
    await know(DOOR);
    const bounds = { VERTEBRA_RETENTION: 'own', VERTEBRA_RETENTION_COUNT: '1000' };
    expect((await check(bounds)).found).toBe('every Pact has bounds');
    expect((await check({ VERTEBRA_RETENTION: 'own' })).found).toContain('all is kept of door');
  });
});
