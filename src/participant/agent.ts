import type { Gossip, GossipHandler, PeerEvent } from '../gossip/contract.ts';
import type { Delivery } from '../gossip/item.ts';
import type { Ballot } from '../model/numbers.ts';
import type { AvatarId, GroupId } from '../model/sync-group.ts';
import type { DeviceSet } from '../ports/devices.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import type { StoreError } from '../ports/store.ts';
import { describeHalt, isCloned, markCloned } from './avatar-change.ts';
import { Consequences } from './consequences.ts';
import type { Core } from './core.ts';
import { Cutting, type CuttingParts } from './cutting.ts';
import { Deciding } from './deciding.ts';
import type { Devices } from './devices.ts';
import type { Directory } from './directory.ts';
import type {
  Channel,
  DagReport,
  GroupChange,
  GroupReport,
  PactReport,
  ParticipantFace,
  PeerReport,
  StatusReport,
  TraceReport,
} from './face.ts';
import { RequestError } from './face.ts';
import { Followers } from './followers.ts';
import type { WorldHome } from './home.ts';
import { Issuing } from './issuing.ts';
import type { WorldLease } from './lease.ts';
import { Logs } from './logs.ts';
import { Loop } from './loop.ts';
import { openSagas } from './open-sagas.ts';
import { observePeer } from './peer-event.ts';
import { DecodedBlocks, Projecting } from './projecting.ts';
import { type ReportParts, reportDag, reportGroups, reportPact } from './report.ts';
import { reportPeers } from './report-peers.ts';
import { reportStatus } from './report-status.ts';
import { Requests } from './requests.ts';
import type { SagaFace } from './saga-face.ts';
import type { Sagas } from './sagas.ts';
import { Stacking } from './stacking.ts';
import { StoreSource } from './store-source.ts';
import { Sweeping } from './sweeping.ts';
import { traceEntry } from './tracing.ts';
import type { Memory, Turn } from './turn.ts';

const CLONED_REASON = 'what it signed came from elsewhere, and this disk does not have it';

export interface AgentParts {
  readonly core: Core;
  readonly memory: Memory;
  readonly directory: Directory;
  readonly openGossip: (agent: Agent) => Gossip;
  readonly name: string;
  readonly kernelBuild: StatusReport['kernel'];
  readonly world: WorldHome;
  readonly home: string;
  readonly lease: Pick<WorldLease, 'note' | 'release'>;
  readonly devices: Devices;
  /** Runs Behaviors; without one none are run here. */
  readonly sandbox?: Sandbox | null;
  /** The database is beyond use: this Participant can only be closed. */
  readonly onFatal: (cause: StoreError) => void;
}

/** A running Participant: the parts wired together, and the face they show. */
export class Agent implements ParticipantFace, GossipHandler {
  readonly source: StoreSource;
  readonly logs: Logs;
  readonly sagas: SagaFace;
  private readonly parts: AgentParts;
  private readonly core: Core;
  private readonly gossip: Gossip;
  private readonly deciding: Deciding;
  private readonly issuing: Issuing;
  private readonly loop: Loop;
  private readonly sagaRuntime: Sagas;
  private readonly requests: Requests;
  private readonly reports: ReportParts;
  private readonly followers = new Followers();
  private readonly startedAtMs: number;
  private halted: string | null = null;
  private isDraining = false;
  private isClosed = false;

  constructor(parts: AgentParts) {
    this.parts = parts;
    const { core, memory } = parts;
    this.core = core;
    this.startedAtMs = core.timers.monotonicMs();
    this.source = new StoreSource(core, memory, (cause) => this.loop.refused(cause));
    const decoded = new DecodedBlocks(core.config.decodedEntriesMax);
    const isHalted = () => this.halted !== null;
    const onClone = (turn: Turn) => this.haltForGood(turn);
    const decide: CuttingParts['decide'] = (turn, event) => deciding.run(turn, event);
    const cutting = new Cutting(core, { decide, isHalted, onClone });
    const follow = { deciding: () => this.deciding, issuing: () => this.issuing, isHalted };
    const consequences = new Consequences(core, { ...follow, cutting });
    const { succeeding } = consequences;
    const projecting = new Projecting(core, decoded, consequences);
    const deciding = new Deciding(core, projecting);
    this.deciding = deciding;
    const stacking = new Stacking(core, { deciding, projecting, decoded, onClone });
    const isOver = (group: GroupId) => memory.registry.closure(group) !== undefined;
    const issuing = new Issuing(core, stacking, { isHalted, isOver });
    this.issuing = issuing;
    this.gossip = parts.openGossip(this);
    this.loop = new Loop({
      core,
      memory,
      gossip: this.gossip,
      deciding,
      stacking,
      issuing,
      sweeping: new Sweeping(core, memory),
      cutting,
      onClone,
      onCommit: () => this.committed(),
      onFatal: parts.onFatal,
      onFinal: (group) => this.becameFinal(group),
    });
    const { directory } = parts;
    this.logs = new Logs({ core, memory, directory, forking: stacking.forking });
    this.reports = { core, memory, directory, gossip: this.gossip, issuing, succeeding };
    this.requests = new Requests({
      reports: this.reports,
      loop: this.loop,
      refusal: () => this.refusal(),
      isClosed: () => this.isClosed,
      onFinal: (group, act) => this.followers.once(group, act),
    });
    const { devices, sandbox = null } = parts;
    const { requests, loop } = this;
    const isStopped = () => this.refusal() !== null;
    const room = { core, memory, issuing, loop, requests, devices, directory };
    const { face, runtime } = openSagas({ ...room, sandbox, isStopped });
    this.sagas = face;
    this.sagaRuntime = runtime;
    if (isCloned(core.store)) this.halt(CLONED_REASON);
    this.loop.enqueue((turn) => consequences.recall(turn));
  }

  /** Who this Participant is in its World. */
  get avatar(): AvatarId {
    return this.core.self;
  }

  /** What hangs on this machine. */
  get devices(): DeviceSet {
    return this.parts.devices;
  }

  /** Listens, dials, and takes the first turn. @throws LinkError */
  async start(): Promise<void> {
    for (const url of this.core.config.listen) {
      this.core.log.info('listening', { url: await this.gossip.listen(url) });
    }
    for (const url of [...this.core.config.peers, ...this.core.store.peerUrls()]) {
      this.gossip.dial(url);
    }
    this.sagaRuntime.start();
    this.loop.wake();
  }

  onItems(deliveries: readonly Delivery[]): void {
    this.loop.receive(deliveries);
  }

  onBallots(from: AvatarId, ballots: readonly { group: GroupId; ballot: Ballot }[]): void {
    this.loop.observeBallots(from, ballots);
  }

  onPeer(event: PeerEvent): void {
    const { core, loop } = this;
    observePeer(event, {
      ...{ core, loop, directory: this.parts.directory, halt: (reason) => this.halt(reason) },
    });
  }

  status(): StatusReport {
    const { parts, reports, logs, loop, sagas } = this;
    return reportStatus({
      ...{ parts, reports, logs, loop, sagas, startedAtMs: this.startedAtMs, halted: this.halted },
    });
  }

  peers(): PeerReport[] {
    return reportPeers(this.reports);
  }

  addPeer(url: string): void {
    this.requests.addPeer(url);
  }

  pacts(): PactReport[] {
    return this.core.store.pacts().map(reportPact);
  }

  addPact(fileText: string): Promise<PactReport> {
    return this.requests.addPact(fileText);
  }

  groups(): GroupReport[] {
    return reportGroups(this.reports);
  }

  addGroup(pact: string, owners: readonly string[]): Promise<GroupReport> {
    return this.requests.addGroup(pact, owners);
  }

  changeGroup(target: string, change: GroupChange): Promise<GroupReport> {
    return this.requests.changing.change(target, change);
  }

  splitGroup(target: string, change: GroupChange): Promise<GroupReport> {
    return this.requests.changing.split(target, change);
  }

  channel(target: string): Channel {
    if (this.isClosed) throw new RequestError('closed', 'This Participant was closed.');
    return this.requests.channel(target);
  }

  trace(target: string, sequence: number): TraceReport {
    return traceEntry(this.reports, this.channel(target), sequence);
  }

  dag(limit: number): DagReport {
    return reportDag(this.reports, limit);
  }

  async drain(timeoutMs: number): Promise<boolean> {
    this.isDraining = true;
    this.issuing.end();
    this.loop.schedule();
    return this.issuing.drained(timeoutMs);
  }

  /** Leaves word where the socket is, for those who look for the agent of this home. */
  noteSocket(path: string): void {
    this.parts.lease.note(path);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    const sagasEnd = this.sagaRuntime.close();
    const devicesEnd = this.parts.devices.close();
    this.loop.close();
    await this.gossip.close();
    await devicesEnd;
    await sagasEnd;
    this.followers.wakeAll();
    this.core.store.close();
    this.parts.lease.release();
  }

  private committed(): void {
    this.source.changed();
    this.sagaRuntime.onCommit();
  }

  private becameFinal(group: GroupId): void {
    this.followers.wake(group);
    this.sagaRuntime.onFinal(group);
  }

  /** Why a push is refused now; null while all is well. */
  private refusal(): RequestError | null {
    if (this.halted !== null) return new RequestError('halted', this.halted);
    if (!this.isDraining && !this.isClosed) return null;
    const message = 'This Participant is being stopped and takes no more Entries.';
    return new RequestError('closed', message);
  }

  /** Goes on holding and verifying, but issues nothing and votes for nothing any more. */
  private halt(reason: string): void {
    if (this.halted !== null) return;
    this.halted = describeHalt(reason);
    this.core.log.error('halted', { reason });
    this.loop.enqueue((turn) => this.deciding.stopVoting(turn));
    for (const outlet of this.issuing.allOutlets()) outlet.changed();
  }

  /**
   * As `halt`, also after a restart: by then this disk has what came from elsewhere, and nothing
   * would tell any more that promises may have been forgotten.
   */
  private haltForGood(turn: Turn): void {
    const { store } = this.core;
    if (isCloned(store)) return;
    markCloned(store);
    this.deciding.stopVoting(turn);
    this.halt(CLONED_REASON);
  }
}
