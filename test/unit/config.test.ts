import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConsensusSettings } from '../../src/consensus/events.ts';
import { GOSSIP_SETTINGS, type GossipSettings } from '../../src/gossip/settings.ts';
import {
  DEFAULT_CONFIG,
  keyOf,
  SECTIONS,
  SETTING_NAMES,
  SETTINGS,
  variableOf,
} from '../../src/participant/config.ts';
import { ConfigError, loadConfig, nearestOf } from '../../src/participant/config-file.ts';
import { formatConfigFile } from '../../src/participant/config-text.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vertebra-config-'));
  file = join(folder, 'vertebra.toml');
});
afterEach(() => rmSync(folder, { recursive: true }));

function load(toml: string, environment: Record<string, string> = {}) {
  writeFileSync(file, toml);
  return loadConfig({ file, environment });
}

function refusal(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('the defaults', () => {
  test('are themselves permitted', () => {
    expect(loadConfig({ file: null, environment: {}, flags: DEFAULT_CONFIG })).toEqual(
      DEFAULT_CONFIG,
    );
  });

  test('hold where there is no file', () => {
    expect(loadConfig({ file: join(folder, 'none.toml'), environment: {} })).toEqual(
      DEFAULT_CONFIG,
    );
  });

  test('are those of gossip where gossip has its own', () => {
    const gossip: GossipSettings = DEFAULT_CONFIG;
    expect(gossip).toMatchObject(GOSSIP_SETTINGS);
    const consensus: ConsensusSettings = DEFAULT_CONFIG;
    expect(consensus.turnMs).toBe(40);
  });

  test('name every setting once', () => {
    const all = SECTIONS.flatMap((section) => Object.keys(section.settings));
    expect(new Set(all).size).toBe(all.length);
    expect(SETTING_NAMES).toEqual(all);
  });

  test('end in a unit wherever they are a number', () => {
    for (const name of SETTING_NAMES) {
      if (SETTINGS[name].type === 'integer') {
        expect(name).toMatch(/(Ms|Days|Bytes|Max|Count|Blocks|Metablocks|PerPeer|Here)$/);
      }
    }
  });
});

describe('a value', () => {
  test('of a flag wins over the environment, which wins over the file', () => {
    writeFileSync(file, 'turn_ms = 1\nballot_timeout_ms = 11\nheld_max = 17\n');
    const environment = { VERTEBRA_TURN_MS: '2', VERTEBRA_BALLOT_TIMEOUT_MS: '12' };
    const config = loadConfig({ file, environment, flags: { turnMs: 3 } });
    expect(config.turnMs).toBe(3);
    expect(config.ballotTimeoutMs).toBe(12);
    expect(config.heldMax).toBe(17);
  });

  test('of the environment may be text, a number, or a list parted by commas', () => {
    const config = load('', {
      VERTEBRA_NAME: 'attic',
      VERTEBRA_ENTRY_BUFFER_DRAIN_RATIO: '0.5',
      VERTEBRA_LISTEN: 'tcp://127.0.0.1:0, tcp://[::1]:0',
    });
    expect(config.name).toBe('attic');
    expect(config.entryBufferDrainRatio).toBe(0.5);
    expect(config.listen).toEqual(['tcp://127.0.0.1:0', 'tcp://[::1]:0']);
  });

  test.each(['a\u0000b', 'a\nb', 'a\u009bb', '\ud800', 'x'.repeat(65)])(
    'of a name may not be %j',
    (name) => {
      const error = refusal(() => loadConfig({ file: null, environment: {}, flags: { name } }));
      expect(error.message).toContain('without control characters');
    },
  );

  test('of an empty list variable means nowhere', () => {
    expect(load('', { VERTEBRA_LISTEN: '' }).listen).toEqual([]);
  });

  test.each(SETTING_NAMES)('of %s is held to its limits from both sides', (name) => {
    const setting = SETTINGS[name];
    if (setting.type !== 'integer' && setting.type !== 'number') return;
    const step = setting.type === 'integer' ? 1 : 0.5;
    for (const bad of [setting.minimum - step, setting.maximum + step, 'many']) {
      const error = refusal(() =>
        loadConfig({ file: null, environment: { [variableOf(name)]: `${bad}` } }),
      );
      expect(error.code).toBe('CONFIG_NOT_PERMITTED');
      expect(error.message).toContain(variableOf(name));
      expect(error.message).toContain(`${setting.maximum}`);
    }
  });
});

describe('a refusal', () => {
  test('names file, line, key, what is wrong and what is permitted', () => {
    const error = refusal(() => load('name = "a"\n\nturn_ms = "soon"\n'));
    expect(error.message).toBe(
      `${file}:3: turn_ms is "soon"; permitted: a whole number from 1 to 60000.`,
    );
  });

  test('of an unknown key names the nearest known one', () => {
    const error = refusal(() => load('block_agems = 3\n'));
    expect(error.code).toBe('CONFIG_UNKNOWN');
    expect(error.message).toContain('"block_agems"');
    expect(error.message).toContain('Did you mean block_age_ms?');
  });

  test('of a choice names the choices', () => {
    expect(refusal(() => load('log_level = "loud"')).message).toContain('error, warn, info, debug');
  });

  test('of a list names its length and its items', () => {
    expect(refusal(() => load('peers = "tcp://a:1"')).message).toContain('a list of at most 256');
    expect(refusal(() => load('peers = [3]')).message).toContain('peers is [3]');
  });

  test('names everything that is wrong at once', () => {
    const lines = refusal(() => load('turn_ms = 0\nheld_max = 0\n')).message.split('\n');
    expect(lines).toHaveLength(2);
  });

  test('of what is no TOML names line and column', () => {
    const error = refusal(() => load('name = "a"\nturn_ms = = 3\n'));
    expect(error.code).toBe('CONFIG_NOT_TOML');
    expect(error.message).toContain(`${file}:2:`);
  });

  test('of a file without end comes before it is read', () => {
    expect(refusal(() => load(`# ${'x'.repeat(70_000)}`)).message).toContain('at most 65536');
  });

  test('of two settings that do not fit together names both', () => {
    const error = refusal(() => load('backoff_min_ms = 5000\nbackoff_max_ms = 1000\n'));
    expect(error.message).toContain(`${file}:1: backoff_min_ms`);
    expect(error.message).toContain('backoff_max_ms (1000)');
  });
});

describe('the file that init writes', () => {
  test('changes nothing', () => {
    expect(load(formatConfigFile())).toEqual(DEFAULT_CONFIG);
  });

  test('says what it was given, with whatever characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (name) => {
        fc.pre(/^[^\p{Cc}\p{Cs}]*$/u.test(name));
        expect(load(formatConfigFile({ name })).name).toBe(name);
      }),
      { numRuns: 50 },
    );
  });

  test('shows every setting with its default, so that taking the # away is enough', () => {
    const text = formatConfigFile().replace(/^# ([a-z_]+ = )/gm, '$1');
    expect(load(text)).toEqual(DEFAULT_CONFIG);
    for (const name of SETTING_NAMES) expect(text).toContain(`\n${keyOf(name)} = `);
  });

  test('keeps within 100 characters a line, but for values', () => {
    for (const line of formatConfigFile().split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  });
});

test('the nearest word is the one with the fewest changes', () => {
  expect(nearestOf('listn', ['peers', 'listen', 'name'])).toBe('listen');
});
