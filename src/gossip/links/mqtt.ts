import type { Transport } from '../../ports/link.ts';
import { type Link, LinkError, type Listening, type MeetingHandler } from '../../ports/link.ts';
import { MqttBroker } from './mqtt-broker.ts';
import type { BrokerParts } from './mqtt-parts.ts';
import { type MqttAddress, mqttUrlOf, parseMqttUrl } from './mqtt-url.ts';

/**
 * Links over any MQTT broker. `mqtt://host:1883` is a place to meet: who listens there joins it,
 * hears of the others of the same World, and of each two one dials the other at
 * `mqtt://host:1883/INBOX`. One connection for each broker, however many are behind it.
 */
export class MqttTransport implements Transport {
  readonly kind = 'mqtt';
  readonly schemes = ['mqtt', 'mqtts'];
  private readonly parts: BrokerParts;
  /** By URL; as many as the configuration names. */
  private readonly brokers = new Map<string, MqttBroker>();

  constructor(parts: BrokerParts) {
    this.parts = parts;
  }

  isMeetingPlace(url: string): boolean {
    return parseMqttUrl(url).inbox === null;
  }

  async dial(url: string, signal: AbortSignal): Promise<Link> {
    const address = parseMqttUrl(url);
    if (address.inbox === null) {
      throw new LinkError('LINK_URL', `${url}: a broker is joined, not dialled`);
    }
    return await this.brokerOf(address).dial(address.inbox, signal);
  }

  /** Joins a broker, sees that it delivers, and leaves again. @throws LinkError */
  async tryOut(url: string, signal: AbortSignal): Promise<void> {
    await this.brokerOf(parseMqttUrl(url)).tryOut(signal);
  }

  async listen(
    url: string,
    onLink: (link: Link) => void,
    onMet?: MeetingHandler,
  ): Promise<Listening> {
    const address = parseMqttUrl(url);
    const broker = this.brokerOf(address);
    if (address.inbox !== null && address.inbox !== broker.voice.inbox) {
      throw new LinkError('LINK_URL', `${url}: that inbox belongs to another`);
    }
    broker.listen({ onLink, onMet });
    return {
      url: mqttUrlOf(address, broker.voice.inbox),
      get trouble() {
        return broker.trouble;
      },
      close: async () => broker.stopListening(),
    };
  }

  private brokerOf(address: MqttAddress): MqttBroker {
    const url = mqttUrlOf(address, null);
    const known = this.brokers.get(url);
    if (known !== undefined) return known;
    const broker = new MqttBroker(this.parts, address);
    this.brokers.set(url, broker);
    return broker;
  }
}
