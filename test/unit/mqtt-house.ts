import { randomBytes } from 'node:crypto';
import { MqttTransport } from '../../src/gossip/links/mqtt.ts';
import type { BrokerLogin } from '../../src/gossip/links/mqtt-connection.ts';
import { Mesh } from '../../src/gossip/mesh.ts';
import type { GossipSettings } from '../../src/gossip/settings.ts';
import { toHex32 } from '../../src/model/bytes.ts';
import type { AvatarId } from '../../src/model/sync-group.ts';
import { Holder } from './gossip-holder.ts';
import { hash } from './gossip-samples.ts';
import { factoryOf, type Member } from './identity-session-ends.ts';
import { type LoggedLine, TIMERS } from './mqtt-stage.ts';

export interface Resident {
  readonly self: AvatarId;
  readonly holder: Holder;
  readonly mesh: Mesh;
  readonly lines: readonly LoggedLine[];
  /** Resolves when `holds`, looked at after everything that this one hears or logs. */
  until(holds: () => boolean): Promise<void>;
}

/** Participants of gossip alone, each with its own connection to real brokers. */
export class MqttHouse {
  private readonly open: Mesh[] = [];

  /** Joins a broker. */
  async join(
    member: Member,
    url: string,
    options: {
      readonly doubtMs?: number;
      readonly announceMs?: number;
      readonly settings?: Partial<GossipSettings>;
      readonly login?: () => BrokerLogin | null;
      readonly peersMax?: number;
    } = {},
  ): Promise<Resident> {
    const self = toHex32(member.avatar.id);
    const holder = new Holder(self);
    const lines: LoggedLine[] = [];
    const bell = new Bell();
    const log = (level: string, event: string, fields: LoggedLine['fields']) => {
      lines.push({ level, event, fields });
      bell.ring();
    };
    const random = { bytes: (count: number) => randomBytes(count), fraction: Math.random };
    const transport = new MqttTransport({
      timers: TIMERS,
      random,
      log,
      brokerKey: member.world.brokerKey.reveal(),
      tag: member.world.tag,
      self: member.avatar.id,
      login: options.login ?? (() => null),
      settings: {
        dialMs: 20_000,
        backoffMinMs: 20,
        backoffMaxMs: 200,
        mqttKeepAliveMs: 30_000,
        mqttDoubtMs: options.doubtMs ?? 20_000,
        mqttAnnounceMs: options.announceMs ?? 300_000,
        peersMax: options.peersMax ?? 64,
      },
    });
    const mesh = new Mesh({
      self,
      sessions: factoryOf(member),
      transports: [transport],
      timers: TIMERS,
      random,
      hash,
      source: holder,
      handler: {
        onItems: (deliveries) => {
          holder.onItems(deliveries);
          bell.ring();
        },
        onBallots: (from, ballots) => holder.onBallots(from, ballots),
        onPeer: (event) => {
          holder.onPeer(event);
          bell.ring();
        },
      },
      log,
      settings: {
        backoffMinMs: 20,
        backoffMaxMs: 200,
        settleMs: 20,
        digestBusyMs: 100,
        ...options.settings,
      },
    });
    holder.mesh = mesh;
    this.open.push(mesh);
    await mesh.listen(url);
    return { self, holder, mesh, lines, until: (holds) => bell.until(holds) };
  }

  async leave(): Promise<void> {
    for (const mesh of this.open.splice(0)) await mesh.close();
  }
}

class Bell {
  private waiting: { readonly holds: () => boolean; readonly done: () => void }[] = [];

  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((done) => this.waiting.push({ holds, done }));
  }

  ring(): void {
    const ready = this.waiting.filter((each) => each.holds());
    this.waiting = this.waiting.filter((each) => !ready.includes(each));
    for (const each of ready) each.done();
  }
}

/** Resolves when each is linked to every other. */
export async function allLinked(...residents: readonly Resident[]): Promise<void> {
  for (const each of residents) {
    await each.until(() =>
      residents.every(({ self }) => self === each.self || isLinked(each, self)),
    );
  }
}

export function isLinked(resident: Resident, peer: AvatarId): boolean {
  return resident.mesh.status().peers.some((each) => each.peer === peer);
}
