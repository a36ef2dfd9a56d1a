import type { Pact } from '../model/pact.ts';
import type { Cause } from '../model/saga.ts';
import type { AvatarId, GroupId, PactId, SyncGroup } from '../model/sync-group.ts';
import type { DeviceStatus } from '../ports/devices.ts';
import type { ForkReport, LogFace } from './log-face.ts';
import type { PeerReport } from './peer-report.ts';
import type { SagaFace, SagasStatus } from './saga-face.ts';
import type { TraceReport } from './trace-face.ts';

export type { TraceOwner, TraceReport } from './trace-face.ts';
export type { PeerReport };

/**
 * What the faces (command line, unix socket, TypeScript users) may ask of a running Participant.
 * Every argument from outside is checked by the Participant; `RequestError` says what is wrong.
 */
export interface ParticipantFace {
  /** Causal Groups as logs, and which of them fork. */
  readonly logs: LogFace;
  /** Behaviors and Sagas. */
  readonly sagas: SagaFace;

  status(): StatusReport;
  peers(): PeerReport[];
  /** Adds a link to dial, now and after every start. */
  addPeer(url: string): void;

  pacts(): PactReport[];
  /** Deploys a Pact file's text: checked, then spread as an Entry. Resolves when it is durable. */
  addPact(fileText: string): Promise<PactReport>;

  groups(): GroupReport[];
  /**
   * Makes the Sync Group of a Pact and owners.
   * @param owners Names or key prefixes as `peer list` shows; `self` is this Participant.
   */
  addGroup(pact: string, owners: readonly string[]): Promise<GroupReport>;

  /**
   * Approves of a change of a Sync Group's owners or rules. It holds once a Quorum of its owners
   * approves of the same: the group then hands over to another one.
   */
  changeGroup(target: string, change: GroupChange): Promise<GroupReport>;
  /**
   * Takes a Sync Group on without its Quorum, where that is lost for good: a fork, on purpose. What
   * lost owners have final beyond this Participant's head stays apart from then on.
   */
  splitGroup(target: string, change: GroupChange): Promise<GroupReport>;

  /**
   * Opens a Channel on a Sync Group.
   * @param target A Pact's name where this Participant owns exactly one group of it, else a group
   * id
   *   or a prefix of one.
   */
  channel(target: string): Channel;

  /**
   * Which owners are known to have a Finalized Entry.
   * @param target As for `channel`. @throws RequestError `entry-unknown`
   */
  trace(target: string, sequence: number): TraceReport;

  /** The Generations that are not dropped from memory, newest last. */
  dag(limit: number): DagReport;

  /**
   * Takes no more Entries, and resolves when every Entry taken so far is final, or the time is up.
   * @returns whether all of them are final. The Participant goes on voting until `close`.
   */
  drain(timeoutMs: number): Promise<boolean>;

  close(): Promise<void>;
}

/** Pushes new Entries, pulls Finalized Entries of one Sync Group. @source features A7. */
export interface Channel {
  readonly group: SyncGroup;
  readonly pact: Pact;

  /**
   * Takes Entries in. When it resolves they are in the Entry Buffer; `flushed` says when durable.
   *
   * @throws RequestError `entry-invalid` with the field named; nothing of the call was taken then.
   * @throws RequestError `buffer-full` where the Channel was told to refuse; else it waits.
   */
  push(entries: readonly Readonly<Record<string, unknown>>[], options?: PushOptions): Promise<void>;
  /**
   * As `push` for one Entry, at once: false when the Entry Buffer is full and nothing was taken.
   */
  tryPush(entry: Readonly<Record<string, unknown>>): boolean;
  /** Resolves when every Entry pushed so far is in a Block that survives a power cut. */
  flushed(): Promise<void>;
  /** Resolves when every Entry pushed so far is final. Rejects with the signal's reason. */
  finalized(signal?: AbortSignal): Promise<void>;

  /** Finalized Entries from a sequence number on, as far as there are any now. */
  pull(from: number, limit: number): PulledEntry[];
  /** Finalized Entries from a sequence number on, and those to come, until the signal. */
  follow(from: number, signal: AbortSignal): AsyncIterable<PulledEntry>;
}

export interface PushOptions {
  /** When the Entry Buffer is full: `wait` (default) for room, or `refuse` with an error. */
  readonly whenFull?: 'wait' | 'refuse';
  readonly signal?: AbortSignal;
}

export interface PulledEntry {
  readonly sequence: number;
  /** Field names to JSON-ready values; null where only the Block Header is here. */
  readonly entry: Record<string, unknown> | null;
  readonly block: string;
  readonly index: number;
  readonly issuer: AvatarId;
  readonly atMs: number;
  /** Of an Entry that a Saga produced: the State that lists it, and where in that list. */
  readonly cause?: Cause;
}

export interface StatusReport {
  readonly version: string;
  readonly world: string;
  readonly avatar: AvatarId;
  readonly name: string;
  readonly home: string;
  readonly pid: number;
  readonly upMs: number;
  readonly kernel: 'simd' | 'scalar' | 'twin';
  readonly listening: readonly string[];
  readonly peers: readonly PeerReport[];
  readonly groups: readonly GroupReport[];
  /** Since start. */
  readonly finalizedEntries: number;
  readonly generations: number;
  /** From taking an own Entry's Block to seeing it final, milliseconds; null before the first. */
  readonly finalityMs: {
    readonly p50: number;
    readonly p99: number;
    readonly count: number;
  } | null;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Frames sent and received over links of each kind; kinds that there were since the start. */
  readonly framesByKind: Readonly<Record<string, number>>;
  /** Set when the Participant stopped issuing, and why. */
  readonly halted: string | null;
  /** Logs that fork: see docs/forks.md. */
  readonly forks: readonly ForkReport[];
  /** Authors of whom a signed Block that breaks the rules of its log is kept, and its fault. */
  readonly invalid: readonly { readonly author: string; readonly fault: string }[];
  /** What is declared to hang on this machine, and who holds it. */
  readonly devices: readonly DeviceStatus[];
  readonly sagas: SagasStatus;
}

export interface PactReport {
  readonly id: PactId;
  readonly name: string;
  readonly table: string;
  readonly quorum: string;
  readonly availability: string;
  readonly priority: string;
  readonly key: readonly string[];
  readonly fields: readonly {
    readonly name: string;
    readonly type: string;
    readonly optional: boolean;
  }[];
  readonly definition: string;
}

/** What is not said stays as it is. */
export interface GroupChange {
  /** All that are to own it from then on; names or key prefixes as for `addGroup`. */
  readonly owners?: readonly string[];
  readonly quorum?: string;
  readonly availability?: string;
}

/** What a Sync Group goes on from, or what goes on from it. */
export interface LineReport {
  readonly group: GroupId;
  readonly kind: 'hand-over' | 'split';
  /** Who split it, and when by their own clocks; empty for a hand-over. */
  readonly by: readonly { readonly owner: string; readonly atMs: number }[];
}

/** A change that some owners approve of. */
export interface ApprovalReport {
  readonly owners: readonly string[];
  readonly quorum: string;
  readonly availability: string;
  readonly approved: readonly string[];
  readonly awaited: readonly string[];
  /** Approvals that make it hold. */
  readonly needed: number;
}

export interface GroupReport {
  readonly id: GroupId;
  readonly number: number;
  readonly pact: string;
  readonly owners: readonly { readonly avatar: AvatarId; readonly name: string | null }[];
  readonly own: boolean;
  readonly quorum: number;
  readonly quorumPolicy: string;
  readonly availability: string;
  /** Why nothing can be pushed there any more; null while it goes on. */
  readonly ended: 'hand-over' | 'split' | null;
  readonly predecessor: LineReport | null;
  readonly successors: readonly LineReport[];
  readonly approvals: readonly ApprovalReport[];
  /** Blocks that were on their way when it ended, and are final nowhere in it. */
  readonly leftBlocks: number;
  readonly ballot: number;
  readonly finalizedLevel: number;
  readonly highestCertified: number;
  readonly highestFinalizable: number;
  readonly lastSequence: number;
  /** The first Entry that is here, and bytes of the Blocks from there on. */
  readonly firstSequence: number;
  readonly retainedBytes: number;
  readonly pendingBlocks: number;
  readonly bufferedEntries: number;
  /** Owners whose vote is missing while something is open. */
  readonly awaited: readonly string[];
  readonly alarm: string | null;
}

export interface DagReport {
  readonly nodes: readonly DagNode[];
}

export interface DagNode {
  readonly id: string;
  readonly generation: number;
  readonly issuer: string;
  readonly predecessors: readonly { readonly group: string; readonly metablock: string | null }[];
  readonly blocks: number;
  readonly state: 'prepared' | 'finalizable' | 'finalized';
  /** Groups it touches, by Pact name and number. */
  readonly groups: readonly string[];
  readonly certificates: number;
}

export type RequestErrorCode =
  | 'entry-invalid'
  | 'entry-too-long'
  | 'entry-unknown'
  | 'buffer-full'
  | 'pact-invalid'
  | 'pact-unknown'
  | 'pact-conflict'
  | 'behavior-invalid'
  | 'behavior-unknown'
  | 'saga-invalid'
  | 'saga-unknown'
  | 'group-unknown'
  | 'group-ambiguous'
  | 'group-not-owned'
  | 'group-unchanged'
  | 'group-handed-over'
  | 'group-split'
  | 'fork-not-accepted'
  | 'rules-unknown'
  | 'owner-unknown'
  | 'owner-ambiguous'
  | 'owners-too-many'
  | 'url-invalid'
  | 'halted'
  | 'closed';

/**
 * The asker's mistake, or a state in which the request can't be met; the message says how to mend
 * it.
 */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: RequestErrorCode;
  /** The field, argument or path at fault. */
  readonly where: string | null;

  constructor(
    code: RequestErrorCode,
    message: string,
    options?: { where?: string; cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.where = options?.where ?? null;
  }
}
