/**
 * Every limit, time and size of an agent, in one place: what it may be, what it is where nobody
 * says otherwise, and what it is for. `config-file.ts` reads them, `config-text.ts` writes them.
 *
 * A setting is called `blockAgeMs` in code, `block_age_ms` in `vertebra.toml` and
 * `VERTEBRA_BLOCK_AGE_MS` in the environment. The last part of a name is its unit.
 */

import { GOSSIP_LIMITS, GOSSIP_SETTINGS } from '../gossip/settings.ts';
import { BROKERS } from './broker-settings.ts';
import { HARDWARE } from './hardware-settings.ts';
import { SAGAS } from './saga-settings.ts';
import { integer, KIB, MIB, plainText, type Setting, urls } from './setting.ts';

export type { Setting } from './setting.ts';

const AGENT = {
  name: plainText(64, 'What this Participant calls itself to its peers; decides nothing.'),
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

/** The names of `GossipSettings`, so that a Config is one. */
const LINKS = {
  listen: urls(['tcp://0.0.0.0:7411'], 16, 'Where to accept links; an empty list: nowhere.'),
  peers: urls([], 256, 'Links to dial, beside those that `vertebra peer add` keeps.'),
  handshakeMs: integer(
    [100, GOSSIP_SETTINGS.handshakeMs, 600_000],
    'To prove to each other who one is.',
  ),
  dialMs: integer([100, GOSSIP_SETTINGS.dialMs, 600_000], 'To reach the other end of a link.'),
  backoffMinMs: integer(
    [10, GOSSIP_SETTINGS.backoffMinMs, 600_000],
    'Wait before a lost link is dialled again, at first.',
  ),
  backoffMaxMs: integer(
    [10, GOSSIP_SETTINGS.backoffMaxMs, 3_600_000],
    'The same after many failures; it doubles.',
  ),
  strangersMax: integer(
    [1, GOSSIP_SETTINGS.strangersMax, 1024],
    'Links whose handshake is not over; then the oldest gives way.',
  ),
  peersMax: integer([1, GOSSIP_SETTINGS.peersMax, 1024], 'Peers linked at once.'),
  pingMs: integer(
    [1000, GOSSIP_SETTINGS.pingMs, 3_600_000],
    'A silent link is asked for a sign of life after so long.',
  ),
  missedPingsMax: integer(
    [1, GOSSIP_SETTINGS.missedPingsMax, 100],
    'Signs of life asked for in vain before a link is given up.',
  ),
  standByMs: integer(
    [1000, GOSSIP_SETTINGS.standByMs, 3_600_000],
    'A silent link gives way to one that stands by after so long.',
  ),
  digestMs: integer(
    [100, GOSSIP_SETTINGS.digestMs, 3_600_000],
    'Longest silence before peers compare what they hold.',
  ),
  digestBusyMs: integer(
    [100, GOSSIP_SETTINGS.digestBusyMs, 3_600_000],
    'Least time between comparisons while things change.',
  ),
  settleMs: integer(
    [0, GOSSIP_SETTINGS.settleMs, 600_000],
    'How long a difference must last before it is asked about.',
  ),
  urgentQueueBytesMax: integer(
    [64 * KIB, GOSSIP_SETTINGS.urgentQueueBytesMax, 256 * MIB],
    'Votes waiting to be sent on one link.',
  ),
  bulkQueueBytesMax: integer(
    [64 * KIB, GOSSIP_SETTINGS.bulkQueueBytesMax, 1024 * MIB],
    'Entries waiting to be sent on one link.',
  ),
  bulkLowBytes: integer(
    [1 * KIB, GOSSIP_SETTINGS.bulkLowBytes, 64 * MIB],
    'More is read from the database while less than this waits.',
  ),
  chunkBytes: integer(
    [1 * KIB, GOSSIP_SETTINGS.chunkBytes, 64 * MIB],
    'Bytes in one part of what is sent to catch up.',
  ),
  chunkBlocks: integer([1, GOSSIP_SETTINGS.chunkBlocks, 65_536], 'Blocks in one such part.'),
  chunkMetablocks: integer(
    [1, GOSSIP_SETTINGS.chunkMetablocks, 65_536],
    'Metablocks in one such part.',
  ),
  rangesPerPeerMax: integer(
    [1, GOSSIP_SETTINGS.rangesPerPeerMax, 256],
    'Ranges asked of one peer at once.',
  ),
  requestsMax: integer(
    [1, GOSSIP_SETTINGS.requestsMax, 65_536],
    'Requests of one peer that wait for their answer.',
  ),
  answerMs: integer(
    [100, GOSSIP_SETTINGS.answerMs, 600_000],
    'Until another peer is asked for what is missing.',
  ),
  wantedMax: integer([1, GOSSIP_SETTINGS.wantedMax, 65_536], 'Missing things asked for at once.'),
  seenPerPeer: integer(
    [16, GOSSIP_SETTINGS.seenPerPeer, 1_048_576],
    'Items that a peer is remembered to have.',
  ),
  seenHere: integer([16, GOSSIP_SETTINGS.seenHere, 1_048_576], 'Items remembered to have come.'),
  misbehavioursMax: integer(
    [1, GOSSIP_SETTINGS.misbehavioursMax, 65_536],
    'What no honest peer sends, until a peer is let go.',
  ),
  banMs: integer([0, GOSSIP_SETTINGS.banMs, 86_400_000], 'How long such a peer stays barred.'),
} as const satisfies Record<string, Setting>;

const DATAFLOW = {
  entryBytesMax: integer([64, 4 * MIB, 32 * MIB], 'The longest encoded Entry that is pushed here.'),
  entryBufferBytesMax: integer([64 * KIB, 16 * MIB, 1024 * MIB], 'Entry Buffer of one Sync Group.'),
  entryBufferDrainRatio: {
    type: 'number',
    default: 0.9,
    minimum: 0.01,
    maximum: 1,
    description: 'An Entry Buffer as full as this is drained at once.',
  },
  blockBytesMax: integer(
    [1 * KIB, 8 * MIB, GOSSIP_LIMITS.payloadBytesMax],
    'The largest payload of a Block.',
  ),
  blockEntriesMax: integer([1, 10_000, 100_000], 'Entries in one Block.'),
  blockAgeMs: integer([0, 5, 60_000], 'An Entry waits so long for others to share its Block.'),
  pendingBlocksMax: integer(
    [1, 1024, 65_536],
    'Own Blocks of a group not final; then pushing waits.',
  ),
  pullEntriesMax: integer([1, 1000, 100_000], 'Entries read from the database at once.'),
  entryBufferEntriesMax: integer([1, 262_144, 16_777_216], 'The same, in Entries.'),
  earlyBlocksMax: integer([1, 256, 65_536], 'Blocks held until those before them come, in all.'),
  earlyBytesMax: integer([64 * KIB, 16 * MIB, 1024 * MIB], 'The same, in bytes.'),
  decodedEntriesMax: integer([0, 100_000, 10_000_000], 'Judged Entries kept decoded until final.'),
  loopItemsMax: integer([16, 4096, 1_048_576], 'Received items that wait for the next turn.'),
  pactsMax: integer([8, 1024, 65_536], 'Pacts of the World that this Participant knows.'),
  groupsMax: integer([8, 4096, 1_048_576], 'Sync Groups that this Participant knows.'),
  avatarsMax: integer([8, 4096, 1_048_576], 'Avatars whose names this Participant remembers.'),
} as const satisfies Record<string, Setting>;

/** Of links over UDP, and of finding others on the local network. */
const DATAGRAMS = {
  discover: {
    type: 'string',
    default: 'no',
    enum: ['no', 'lan'],
    description: "lan: find others of this World by mDNS, which shows the World's tag there.",
  },
  udpBytesPerSecondMax: integer(
    [16 * KIB, 4 * MIB, 1024 * MIB],
    'What a UDP link sends at most; less where frames get lost.',
  ),
} as const satisfies Record<string, Setting>;

/** The names of `ConsensusSettings`, so that a Config is one. */
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
  evidenceMax: integer([1, 1000, 100_000], "Proofs of others' faults that are kept."),
  retention: {
    type: 'string',
    default: 'pact',
    enum: ['pact', 'own', 'unlimited'],
    description: 'What to keep of each Sync Group: as its Pact says, as said below, or all.',
  },
  retentionCount: integer([0, 0, 2 ** 52], 'own: so many Entries of each group; 0 any number.'),
  retentionAgeDays: integer([0, 0, 36_525], 'own: Entries final for less than this; 0 any age.'),
  retentionBytes: integer([0, 0, 2 ** 52], 'own: so many bytes of Blocks each; 0 any number.'),
} as const satisfies Record<string, Setting>;

const API = {
  apiSocket: plainText(107, "Path of the agent's socket; empty: agent.sock in the World's folder."),
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
  { title: 'UDP and discovery', settings: DATAGRAMS },
  { title: 'MQTT brokers', settings: BROKERS },
  { title: 'Entries and Blocks', settings: DATAFLOW },
  { title: 'Agreement', settings: CONSENSUS },
  { title: 'The database', settings: STORAGE },
  { title: 'The local socket', settings: API },
  { title: 'Pins and devices', settings: HARDWARE },
  { title: 'Sagas', settings: SAGAS },
] as const;

export const SETTINGS = {
  ...AGENT,
  ...LINKS,
  ...DATAGRAMS,
  ...BROKERS,
  ...DATAFLOW,
  ...CONSENSUS,
  ...STORAGE,
  ...API,
  ...HARDWARE,
  ...SAGAS,
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
  ['backoffMinMs', 'backoffMaxMs'],
  ['digestBusyMs', 'digestMs'],
  ['entryBytesMax', 'blockBytesMax'],
  ['blockBytesMax', 'entryBufferBytesMax'],
  ['blockEntriesMax', 'entryBufferEntriesMax'],
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
