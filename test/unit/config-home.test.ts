import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  chooseWorld,
  findHome,
  type HomeSurroundings,
  homeAt,
  makeHome,
  makeWorldHome,
  SOCKET_PATH_BYTES_MAX,
  socketFileOf,
  worldAt,
  worldNames,
} from '../../src/participant/home.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-home-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function around(change: Partial<HomeSurroundings>): HomeSurroundings {
  const none = { environment: {}, userId: 1000, userFolder: '/home/ann', isWritable: () => false };
  return { ...none, ...change };
}

describe('the home', () => {
  const environment = { VERTEBRA_HOME: '/a', STATE_DIRECTORY: '/b:/c', XDG_DATA_HOME: '/d' };

  test('is where the flag says, before all else', () => {
    expect(findHome('/flag', around({ environment })).folder).toBe('/flag');
  });

  test('is where VERTEBRA_HOME says, before the service', () => {
    expect(findHome(undefined, around({ environment })).folder).toBe('/a');
  });

  test('is the first folder that systemd gave the service', () => {
    const { VERTEBRA_HOME: _, ...rest } = environment;
    expect(findHome(undefined, around({ environment: rest })).folder).toBe('/b');
  });

  test("is the service's where that is ours to write", () => {
    const found = findHome(
      undefined,
      around({ isWritable: (each) => each === '/var/lib/vertebra' }),
    );
    expect(found.folder).toBe('/var/lib/vertebra');
  });

  test("is the service's for root under systemd, made or not", () => {
    const service = around({ userId: 0, environment: { INVOCATION_ID: 'x' } });
    expect(findHome(undefined, service).folder).toBe('/var/lib/vertebra');
  });

  test("is in the user's data folder otherwise", () => {
    expect(findHome(undefined, around({})).folder).toBe('/home/ann/.local/share/vertebra');
    const xdg = around({ environment: { XDG_DATA_HOME: '/data' } });
    expect(findHome(undefined, xdg).folder).toBe('/data/vertebra');
    const relative = around({ environment: { XDG_DATA_HOME: 'data' } });
    expect(findHome(undefined, relative).folder).toBe('/home/ann/.local/share/vertebra');
  });

  test('is made for its owner alone', () => {
    const home = homeAt(join(folder, 'deep', 'home'));
    makeHome(home);
    makeHome(home);
    expect(statSync(home.folder).mode & 0o777).toBe(0o700);
  });

  test('that cannot be made says where and what to do', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => makeHome(homeAt(join(folder, 'file', 'home')))).toThrow(/cannot be made.*--home/);
  });
});

describe('a World in a home', () => {
  function join_(name: string) {
    const world = worldAt(homeAt(folder), name);
    makeWorldHome(world);
    writeFileSync(world.secretFile, '');
  }

  test.each(['', '.', '..', 'a/b', 'Attic', '-x', 'a b', 'x'.repeat(49), 'a\0'])(
    'cannot be called %j',
    (name) => expect(() => worldAt(homeAt(folder), name)).toThrow(/cannot name a World/),
  );

  test.each(['a', '7', 'attic_2-b', 'x'.repeat(48)])('may be called %s', (name) => {
    expect(worldAt(homeAt(folder), name).folder).toBe(join(folder, 'worlds', name));
  });

  test('counts once its secret is there', () => {
    mkdirSync(join(folder, 'worlds', 'half'), { recursive: true });
    expect(worldNames(homeAt(folder))).toEqual([]);
    join_('b');
    join_('a');
    expect(worldNames(homeAt(folder))).toEqual(['a', 'b']);
  });

  test('is meant without being named when it is the only one', () => {
    expect(() => chooseWorld(homeAt(folder), undefined)).toThrow(/in no World yet.*world create/);
    join_('a');
    expect(chooseWorld(homeAt(folder), undefined).name).toBe('a');
    join_('b');
    expect(() => chooseWorld(homeAt(folder), undefined)).toThrow(/--world: a, b/);
    expect(chooseWorld(homeAt(folder), 'b').name).toBe('b');
    expect(() => chooseWorld(homeAt(folder), 'c')).toThrow(/has no World c \(it has: a, b\)/);
  });
});

describe("the agent's socket", () => {
  test('lies beside the database as long as its path fits', () => {
    const room = SOCKET_PATH_BYTES_MAX - '/agent.sock'.length;
    const longest = `/${'w'.repeat(room - 1)}`;
    expect(socketFileOf(longest)).toBe(`${longest}/agent.sock`);
    expect(socketFileOf(`${longest}w`)).not.toContain('www');
  });

  test('has a short path of its own for each long folder, in a folder of this user', () => {
    const user = around({ environment: { XDG_RUNTIME_DIR: '/run/user/1000' } });
    const [a, b] = ['a', 'b'].map((end) => socketFileOf(`/${'é'.repeat(60)}${end}`, user));
    expect(a).toMatch(/^\/run\/user\/1000\/vertebra-1000\/[0-9a-f]{16}\.sock$/);
    expect(b).not.toBe(a);
  });
});
