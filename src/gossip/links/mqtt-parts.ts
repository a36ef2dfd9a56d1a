import type { Timers } from '../../ports/clock.ts';
import type { GossipLog } from '../contract.ts';
import type { BrokerLogin } from './mqtt-connection.ts';
import type { VoiceParts } from './mqtt-voice.ts';

/** What all brokers of a Participant share. */
export interface BrokerParts extends VoiceParts {
  readonly timers: Timers;
  readonly log: GossipLog;
  /** Read anew for each connection. @throws LinkError LINK_DENIED where its file is not right. */
  readonly login: () => BrokerLogin | null;
  readonly settings: {
    readonly dialMs: number;
    readonly backoffMinMs: number;
    readonly backoffMaxMs: number;
    readonly mqttKeepAliveMs: number;
    readonly mqttAnnounceMs: number;
    /** A broker that does not bring a message of our own back in this time does not deliver. */
    readonly mqttDoubtMs: number;
    /** Peers of the whole mesh at once: where more meet, not all are linked to all. */
    readonly peersMax?: number;
  };
}
