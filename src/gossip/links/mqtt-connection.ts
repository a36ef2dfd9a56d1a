import { readFileSync } from 'node:fs';
import type { IClientOptions, MqttClient } from 'mqtt';
import type { Timers } from '../../ports/clock.ts';
import { LinkError } from '../../ports/link.ts';
import { abortOf, orAborted } from './called-off.ts';
import { mqttErrorOf } from './mqtt-error.ts';
import { MqttGauge } from './mqtt-gauge.ts';
import { type MqttAddress, mqttUrlOf } from './mqtt-url.ts';

/** User and password at a broker. */
export interface BrokerLogin {
  readonly user: string;
  readonly password: string | null;
}

export interface ConnectionParts {
  readonly address: MqttAddress;
  readonly clientId: string;
  readonly login: BrokerLogin | null;
  readonly timers: Timers;
  readonly keepAliveMs: number;
  readonly connectMs: number;
  readonly topics: readonly string[];
  /** What the broker publishes for us when the connection dies. */
  readonly will: { readonly topic: string; readonly payload: Uint8Array };
  readonly onMessage: (topic: string, payload: Uint8Array) => void;
  /** Calls it off while it is being opened. */
  readonly signal: AbortSignal;
  /** Once, after it was open: nothing goes in or out any more. */
  readonly onEnd: (error: LinkError | null) => void;
}

/**
 * Messages whose receipt the broker has not confirmed and no other end has either. Beyond it the
 * broker is no use: identifiers of messages are 16 bits long.
 */
const UNCONFIRMED_MAX = 4_096;

/** How long a connection that is closed in peace may take to send what is queued. */
const CLOSE_MS = 1_000;

/**
 * One connection to a broker, from CONNECT to its end: it never comes back by itself, and neither
 * end keeps anything of it. What was on its way then is lost, and whoever sent it notices.
 *
 * MQTT 3.1.1 alone, clean session, QoS 1, nothing retained.
 */
export class MqttConnection {
  private readonly client: MqttClient;
  private readonly parts: ConnectionParts;
  private readonly url: string;
  private error: LinkError | null = null;
  private isEnded = false;
  private isClosing = false;
  private unconfirmed = 0;

  private constructor(client: MqttClient, parts: ConnectionParts) {
    this.client = client;
    this.parts = parts;
    this.url = mqttUrlOf(parts.address, null);
  }

  /** @throws LinkError where the broker does not answer, refuses, or does not let us subscribe. */
  static async open(parts: ConnectionParts): Promise<MqttConnection> {
    const options = optionsOf(parts);
    // Not before it is needed: it takes memory that most Participants have no use for.
    const { connect } = await import('mqtt');
    const { signal } = parts;
    const url = mqttUrlOf(parts.address, null);
    if (signal.aborted) throw abortOf(signal, url);
    const connection = new MqttConnection(connect(options), parts);
    try {
      await orAborted(connection.connected(), signal, url);
      await orAborted(connection.subscribe(), signal, url);
    } catch (cause) {
      connection.client.end(true);
      throw mqttErrorOf(cause, connection.url);
    }
    connection.watch();
    return connection;
  }

  /** @returns a number for `retire`. */
  publish(topic: string, payload: Uint8Array): number {
    const { buffer, byteOffset, byteLength } = payload;
    this.unconfirmed += 1;
    this.client.publish(topic, Buffer.from(buffer, byteOffset, byteLength), { qos: 1 }, () => {
      this.unconfirmed -= 1;
    });
    if (this.unconfirmed > UNCONFIRMED_MAX) {
      this.fail(new LinkError('LINK_RESET', `${this.url}: the broker confirms nothing`));
    }
    return this.client.getLastMessageId();
  }

  /** Whether the broker confirms this one does not matter any more. */
  retire(number: number): void {
    this.client.removeOutgoingMessage(number);
  }

  /** Ends it at once, without a farewell, so that the broker publishes the will. */
  fail(error: LinkError): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.error ??= error;
    this.client.end(true);
    this.parts.timers.after(0, () => this.finish());
  }

  /** Ends it when what was published has left, or soon. Resolves when it has. */
  close(): Promise<void> {
    this.isClosing = true;
    return new Promise((resolve) => {
      const cancel = this.parts.timers.after(CLOSE_MS, () => {
        this.client.end(true);
        resolve();
      });
      this.client.end(false, {}, () => {
        cancel();
        this.finish();
        resolve();
      });
    });
  }

  private connected(): Promise<void> {
    const { client } = this;
    // Whoever waits for something hears of the first of these; later ones are about the same.
    client.on('error', (cause) => {
      this.error ??= mqttErrorOf(cause, this.url);
    });
    client.on('message', (topic, payload) => this.parts.onMessage(topic, payload));
    const gauge = new MqttGauge((why) => {
      this.fail(new LinkError('LINK_FRAME_TOO_LONG', `${this.url}: the broker sends ${why}`));
    });
    client.stream.on('data', (chunk: Uint8Array) => gauge.read(chunk));
    return new Promise((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('error', (cause) => {
        const isReset = 'code' in cause && /^(ECONNRESET|EPIPE)$/.test(`${cause.code}`);
        reject(isReset ? this.closedEarly(cause) : cause);
      });
      client.once('close', () => reject(this.error ?? this.closedEarly()));
    });
  }

  private subscribe(): Promise<void> {
    const { client, url } = this;
    const { timers, connectMs } = this.parts;
    return new Promise<void>((resolve, reject) => {
      const cancel = timers.after(connectMs, () => {
        reject(new LinkError('LINK_TIMEOUT', `${url}: the broker does not answer SUBSCRIBE`));
      });
      client.once('close', () => {
        cancel();
        reject(this.error ?? this.closedEarly());
      });
      client.subscribe([...this.parts.topics], { qos: 1 }, (cause, granted) => {
        cancel();
        const denied = granted?.find((each) => each.qos > 2);
        if (cause === null && denied === undefined) resolve();
        else if (cause !== null && granted === undefined) reject(cause);
        else {
          const topic = denied?.topic ?? this.parts.topics.join(' and ');
          const why = `the broker does not let us subscribe to ${topic}; see its access rules`;
          reject(new LinkError('LINK_DENIED', `${url}: ${why}`, { cause }));
        }
      });
    });
  }

  private watch(): void {
    this.client.once('close', () => this.finish());
    if (!this.client.connected) this.parts.timers.after(0, () => this.finish());
  }

  private closedEarly(cause?: unknown): LinkError {
    const how = this.parts.address.isTls ? 'with TLS' : 'without TLS';
    const why = `it closed without an answer; is it a broker, and ${how}?`;
    return new LinkError('LINK_RESET', `${this.url}: ${why}`, { cause });
  }

  private finish(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.client.end(true);
    const isPeace = this.isClosing && this.error === null;
    const lost = () => new LinkError('LINK_RESET', `${this.url}: the connection was lost`);
    this.parts.onEnd(isPeace ? null : (this.error ?? lost()));
  }
}

function optionsOf(parts: ConnectionParts): IClientOptions {
  const { address, login, will } = parts;
  const { host, port, isTls, caFile } = address;
  const { buffer, byteOffset, byteLength } = will.payload;
  const payload = Buffer.from(buffer, byteOffset, byteLength);
  return {
    protocol: isTls ? 'mqtts' : 'mqtt',
    hostname: host,
    host,
    port,
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: parts.clientId,
    clean: true,
    keepalive: Math.ceil(parts.keepAliveMs / 1000),
    connectTimeout: parts.connectMs,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    will: { topic: will.topic, payload, qos: 1, retain: false },
    ...(login === null ? {} : { username: login.user }),
    ...(login?.password == null ? {} : { password: login.password }),
    ...(caFile === null ? {} : { ca: readCa(caFile, address) }),
  };
}

/** @throws LinkError LINK_URL where the file cannot be read or is no certificate. */
export function readCa(path: string, address: MqttAddress): Buffer {
  const wrong = (why: string, cause?: unknown) =>
    new LinkError('LINK_URL', `${mqttUrlOf(address, null)}: ${path} ${why}`, { cause });
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const system = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw wrong(`cannot be read (${system})`, cause);
  }
  if (bytes.includes('-----BEGIN CERTIFICATE-----')) return bytes;
  throw wrong('holds no certificate in PEM');
}
