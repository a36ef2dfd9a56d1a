import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit-code.ts';
import { Stage } from './cli-stage.ts';

let stage: Stage;

beforeEach(async () => {
  stage = new Stage();
  stage.face.open('door');
  await stage.start();
});

afterEach(async () => {
  await stage.end();
});

describe('vertebra group', () => {
  it('change approves of what is named, and of nothing else', async () => {
    const asked = ['group', 'change', 'door', '--owner', 'self', 'attic', '--quorum', 'strict'];
    expect(await stage.run(asked)).toMatchObject({ exit: EXIT.ok, err: '' });
    expect(stage.face.changes).toEqual([
      { act: 'change', target: 'door', owners: ['self', 'attic'], quorum: 'strict' },
    ]);
    await stage.run(['group', 'change', 'door', '--availability', 'headers']);
    expect(stage.face.changes[1]).toEqual({
      act: 'change',
      target: 'door',
      availability: 'headers',
    });
  });

  it('split does nothing by accident, and says what it would mean', async () => {
    const asked = ['group', 'split', 'door', '--owner', 'self'];
    const refused = await stage.run(asked);
    expect(refused.exit).toBe(EXIT.usage);
    expect(refused.err).toMatch(/--accept-fork is not given/);
    expect(refused.err).toMatch(/histories stay apart/);
    expect(stage.face.changes).toEqual([]);
    expect(await stage.run([...asked, '--accept-fork'])).toMatchObject({ exit: EXIT.ok });
    expect(stage.face.changes).toEqual([{ act: 'split', target: 'door', owners: ['self'] }]);
    const help = await stage.run(['group', 'split', '--help']);
    expect(help.out).toMatch(/histories stay apart/);
  });
});
