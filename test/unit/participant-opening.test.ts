import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_CONFIG } from '../../src/participant/config.ts';
import { type Home, homeAt, type WorldHome, worldAt } from '../../src/participant/home.ts';
import { openLogger } from '../../src/participant/log.ts';
import { createWorld, initHome } from '../../src/participant/membership.ts';
import { openParticipant } from '../../src/participant/participant.ts';

let folder: string;
let home: Home;
let world: WorldHome;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-opening-'));
  home = homeAt(join(folder, 'home'));
  world = worldAt(home, 'farm');
  initHome(home, 'attic');
  createWorld(home, 'farm', join(folder, 'farm.secret'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const quiet = { level: 'error', format: 'json', lineBytesMax: 999, wallMs: () => 0 } as const;

function opening(listen: readonly string[]) {
  return openParticipant({
    home,
    world,
    config: { ...DEFAULT_CONFIG, listen },
    log: openLogger({ ...quiet, write: () => undefined }),
    onFatal: (cause) => {
      throw cause;
    },
  });
}

/** Files that this process holds open below the home. */
function heldFiles(): string[] {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .flatMap((line) => /\S*world\.db-shm$/.exec(line)?.[0] ?? [])
    .filter((path) => path.startsWith(home.folder));
}

describe('a Participant that could not open', () => {
  it('listens nowhere, holds no file, and can be opened again', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const other = free.address();
    const freePort = typeof other === 'object' ? other?.port : undefined;
    await new Promise((resolve) => free.close(resolve));
    const [first, second] = [`tcp://127.0.0.1:${freePort}`, `tcp://127.0.0.1:${port}`];
    await expect(opening([first, second])).rejects.toMatchObject({ name: 'LinkError' });
    expect(heldFiles()).toEqual([]);
    const participant = await opening([first]);
    expect(participant.status().listening).toEqual([first]);
    await participant.close();
    await new Promise((resolve) => taken.close(resolve));
  });

  it('for a damaged database leaves the World to the next', async () => {
    writeFileSync(world.databaseFile, 'no database'.repeat(1000));
    await expect(opening([])).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    rmSync(world.databaseFile);
    await (await opening([])).close();
  });
});
