/**
 * Every limit, time and size of an agent, in one place: what it may be, what it is where nobody says
 * otherwise, and what it is for. `config-file.ts` reads values, `config-text.ts` writes the file.
 *
 * A setting is called `blockAgeMs` in code, `block_age_ms` in `vertebra.toml` and
 * `VERTEBRA_BLOCK_AGE_MS` in the environment. The last part of a name is its unit.
 */

interface IntegerSetting {
  readonly type: 'integer';
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly description: string;
}

interface NumberSetting extends Omit<IntegerSetting, 'type'> {
  readonly type: 'number';
}

interface TextSetting {
  readonly type: 'string';
  readonly default: string;
  readonly maxLength: number;
  readonly description: string;
}

interface ChoiceSetting {
  readonly type: 'string';
  readonly default: string;
  readonly enum: readonly string[];
  readonly description: string;
}

interface ListSetting {
  readonly type: 'array';
  readonly default: readonly string[];
  readonly items: { readonly type: 'string'; readonly minLength: 1; readonly maxLength: number };
  readonly maxItems: number;
  readonly description: string;
}

export type Setting = IntegerSetting | NumberSetting | TextSetting | ChoiceSetting | ListSetting;

const KIB = 1024;
const MIB = 1024 * KIB;

/** @param range Lowest value, default, highest value. */
function integer(range: readonly [number, number, number], description: string) {
  const [minimum, standard, maximum] = range;
  return { type: 'integer', default: standard, minimum, maximum, description } as const;
}

function urls(standard: readonly string[], maxItems: number, description: string) {
  const items = { type: 'string', minLength: 1, maxLength: 255 } as const;
  return { type: 'array', default: standard, items, maxItems, description } as const;
}

const AGENT = {
  name: {
    type: 'string',
    default: '',
    maxLength: 64,
    description: 'What this Participant calls itself to its peers; decides nothing.',
  },
  logLevel: {
    type: 'string',
    default: 'info',
    enum: ['error', 'warn', 'info', 'debug'],
    description: 'The least important line that is still written.',
  },
  logFormat: {
    type: 'string',
    default: 'auto',
    enum: ['auto', 'json', 'human'],
    description: 'auto: for people on a terminal, else a JSON object a line.',
  },
  logLineBytesMax: integer([256, 8 * KIB, 64 * KIB], 'Longer lines of the log are cut.'),
  sensorsIntervalMs: integer(
    [0, 0, 86_400_000],
    "How often to read this machine's sensors; 0 never.",
  ),
} as const satisfies Record<string, Setting>;

const LINKS = {
  listen: urls(['tcp://0.0.0.0:7411'], 16, 'Where to accept links; an empty list: nowhere.'),
  peers: urls([], 256, 'Links to dial, beside those that `vertebra peer add` keeps.'),
  linksMax: integer([1, 64, 1024], 'Links open at once.'),
  dialTimeoutMs: integer([100, 10_000, 600_000], 'To reach the other end of a link.'),
  handshakeTimeoutMs: integer([100, 10_000, 600_000], 'To prove to each other who one is.'),
  reconnectMinMs: integer(
    [10, 500, 600_000],
    'Wait before a lost link is dialled again, at first.',
  ),
  reconnectMaxMs: integer([10, 30_000, 3_600_000], 'The same after many failures; it doubles.'),
  keepAliveMs: integer([1000, 30_000, 3_600_000], 'A silent link is asked for a sign of life.'),
  linkSilenceMs: integer([1000, 90_000, 3_600_000], 'A link silent for so long is given up.'),
  linkQueueBytesMax: integer([64 * KIB, 8 * MIB, 256 * MIB], 'Waiting to be sent on one link.'),
  frameBytesMax: integer([1 * KIB, 65_535, 65_535], 'The longest frame on a link.'),
  antiEntropyIntervalMs: integer(
    [100, 30_000, 3_600_000],
    'How often peers compare what they hold.',
  ),
  requestTimeoutMs: integer(
    [100, 5000, 600_000],
    'Until somebody else is asked for what is missing.',
  ),
  requestsMax: integer([1, 256, 65_536], 'Things asked for and not yet received, in all.'),
  assemblyBytesMax: integer([1 * MIB, 32 * MIB, 1024 * MIB], 'Parts of long items held, in all.'),
} as const satisfies Record<string, Setting>;

const DATAFLOW = {
  entryBytesMax: integer([64, 4 * MIB, 64 * MIB], 'The longest encoded Entry.'),
  entryBufferBytesMax: integer([64 * KIB, 16 * MIB, 1024 * MIB], 'Entry Buffer of one Sync Group.'),
  entryBufferDrainRatio: {
    type: 'number',
    default: 0.9,
    minimum: 0.01,
    maximum: 1,
    description: 'An Entry Buffer as full as this is drained at once.',
  },
  blockBytesMax: integer([1 * KIB, 8 * MIB, 128 * MIB], 'The largest payload of a Block.'),
  blockEntriesMax: integer([1, 10_000, 100_000], 'Entries in one Block.'),
  blockAgeMs: integer([0, 5, 60_000], 'An Entry waits so long for others to share its Block.'),
  pendingBlocksMax: integer(
    [1, 1024, 65_536],
    'Own Blocks of a group not final; then pushing waits.',
  ),
  pullEntriesMax: integer([1, 1000, 100_000], 'Entries read from the database at once.'),
} as const satisfies Record<string, Setting>;

const WORLD = {
  pactsMax: integer([1, 1024, 65_536], 'Pacts that this agent keeps.'),
  groupsMax: integer([1, 1024, 65_536], 'Sync Groups that this agent keeps.'),
} as const satisfies Record<string, Setting>;

const CONSENSUS = {
  predecessorsMax: integer([1, 64, 64], 'Predecessors that an own Metablock names.'),
  blocksPerMetablockMax: integer([1, 1024, 1024], 'Blocks that an own Metablock carries.'),
  turnMs: integer([1, 40, 60_000], 'Head start of each turn; wider on slow links.'),
  prepareIntervalMs: integer([1, 100, 600_000], 'Prepared again after so long, if Blocks wait.'),
  prepareBlockCount: integer([1, 100, 1024], 'Prepared before that when so many Blocks wait.'),
  ballotTimeoutMs: integer([10, 250, 600_000], 'Shortest time before the next Ballot.'),
  ballotTimeoutMaxMs: integer([10, 30_000, 3_600_000], 'Longest time before the next Ballot.'),
  candidatesPerIssuerMax: integer([1, 4, 64], 'Undecided Metablocks kept of an issuer in a group.'),
  heldMax: integer([16, 1024, 65_536], 'Messages of a group kept until what they name arrives.'),
} as const satisfies Record<string, Setting>;

const STORAGE = {
  databaseCacheBytes: integer([256 * KIB, 8 * MIB, 1024 * MIB], "SQLite's page cache."),
  databaseBusyMs: integer([0, 5000, 600_000], "Wait for another process's lock on the database."),
  queryRowsMax: integer([1, 100_000, 10_000_000], 'Rows that one query gives.'),
  evidenceMax: integer([1, 1000, 100_000], "Proofs of others' faults that are kept."),
} as const satisfies Record<string, Setting>;

const API = {
  apiSocket: {
    type: 'string',
    default: '',
    maxLength: 107,
    description: "Path of the agent's socket; empty: agent.sock in the World's folder.",
  },
  apiBodyBytesMax: integer([1 * KIB, 8 * MIB, 256 * MIB], 'The longest request; not for NDJSON.'),
  apiHeaderBytesMax: integer([1 * KIB, 8 * KIB, 64 * KIB], "All of a request's headers."),
  apiConnectionsMax: integer([1, 64, 4096], 'Connections to the socket at once.'),
  apiRequestTimeoutMs: integer(
    [100, 30_000, 3_600_000],
    'For a request to arrive; not for NDJSON.',
  ),
} as const satisfies Record<string, Setting>;

/** In the order in which `vertebra.toml` shows them. */
export const SECTIONS = [
  { title: 'The agent', settings: AGENT },
  { title: 'Links to other Participants', settings: LINKS },
  { title: 'Entries and Blocks', settings: DATAFLOW },
  { title: 'Pacts and Sync Groups', settings: WORLD },
  { title: 'Agreement', settings: CONSENSUS },
  { title: 'The database', settings: STORAGE },
  { title: 'The local socket', settings: API },
] as const;

export const SETTINGS = {
  ...AGENT,
  ...LINKS,
  ...DATAFLOW,
  ...WORLD,
  ...CONSENSUS,
  ...STORAGE,
  ...API,
} as const satisfies Record<string, Setting>;

type ValueOf<One> = One extends { readonly enum: readonly (infer Choice)[] }
  ? Choice
  : One extends { readonly type: 'integer' | 'number' }
    ? number
    : One extends { readonly type: 'array' }
      ? readonly string[]
      : string;

export type SettingName = keyof typeof SETTINGS;

/** Checked values of every setting. */
export type Config = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> };

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

export const DEFAULT_CONFIG = Object.fromEntries(
  SETTING_NAMES.map((name) => [name, SETTINGS[name].default]),
) as Config;

/** Pairs of which the first may not be above the second. */
export const SETTING_ORDER: readonly (readonly [SettingName, SettingName])[] = [
  ['reconnectMinMs', 'reconnectMaxMs'],
  ['keepAliveMs', 'linkSilenceMs'],
  ['entryBytesMax', 'blockBytesMax'],
  ['blockBytesMax', 'entryBufferBytesMax'],
  ['ballotTimeoutMs', 'ballotTimeoutMaxMs'],
  ['prepareBlockCount', 'blocksPerMetablockMax'],
];

/** How a setting is written in `vertebra.toml`. */
export function keyOf(name: SettingName): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** How a setting is written in the environment. */
export function variableOf(name: SettingName): string {
  return `VERTEBRA_${keyOf(name).toUpperCase()}`;
}
