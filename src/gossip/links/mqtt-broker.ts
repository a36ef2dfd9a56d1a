import { toHex } from '../../model/bytes.ts';
import { type Link, LinkError, type MeetingHandler } from '../../ports/link.ts';
import { abortOf, orAborted } from './called-off.ts';
import { MqttConnection, readCa } from './mqtt-connection.ts';
import { MqttEcho } from './mqtt-echo.ts';
import { mqttErrorOf } from './mqtt-error.ts';
import { Meeting } from './mqtt-meeting.ts';
import type { NoteKind } from './mqtt-note.ts';
import type { BrokerParts } from './mqtt-parts.ts';
import { MqttRetry } from './mqtt-retry.ts';
import { type NoteIds, Switchboard } from './mqtt-switchboard.ts';
import { type MqttAddress, mqttUrlOf } from './mqtt-url.ts';
import { MqttVoice } from './mqtt-voice.ts';

/** Behind `vb1`, in hex: brokers must take identifiers of 23 characters. */
const CLIENT_ID_BYTES = 10;

interface Listener {
  readonly onLink: (link: Link) => void;
  readonly onMet: MeetingHandler | undefined;
}

/** One broker, and the one connection to it that all links behind it share. */
export class MqttBroker {
  readonly url: string;
  readonly voice: MqttVoice;

  private readonly parts: BrokerParts;
  private readonly address: MqttAddress;
  private readonly clientId: string;
  private readonly meeting: Meeting;
  private readonly switchboard: Switchboard;
  private readonly echo: MqttEcho;
  private listener: Listener | null = null;
  private connection: MqttConnection | null = null;
  /** A connection that is not there yet. */
  private opening: { abort: AbortController; done: Promise<void> } | null = null;
  /** Resolves when the connection before has said its farewell. */
  private resting: Promise<void> = Promise.resolve();
  private waiting = 0;
  private readonly retry: MqttRetry;
  private lastError: LinkError | null = null;
  private cancelAnnounce: (() => void) | null = null;

  constructor(parts: BrokerParts, address: MqttAddress) {
    const { timers, random, brokerKey } = parts;
    this.parts = parts;
    this.address = address;
    this.url = mqttUrlOf(address, null);
    this.voice = new MqttVoice(parts);
    this.retry = new MqttRetry(parts);
    this.clientId = `vb1${toHex(random.bytes(CLIENT_ID_BYTES))}`;
    this.echo = new MqttEcho({ timers, random, doubtMs: parts.settings.mqttDoubtMs });
    const urlOf = (inbox: string) => mqttUrlOf(address, inbox);
    this.meeting = new Meeting({
      inbox: this.voice.inbox,
      timers,
      announceMs: parts.settings.mqttAnnounceMs,
      onFound: (inbox) => this.listener?.onMet?.onFound(urlOf(inbox)),
      peersMax: parts.settings.peersMax,
      onLost: (inbox, why) => {
        this.switchboard.reset(inbox, why);
        this.listener?.onMet?.onLost(urlOf(inbox));
      },
    });
    this.switchboard = new Switchboard({
      inbox: this.voice.inbox,
      brokerKey,
      timers,
      doubtMs: parts.settings.mqttDoubtMs,
      random,
      urlOf,
      sendNote: (kind, to, ids) => this.say(kind, this.voice.topicOf(to), ids),
      publish: (to, bytes) => this.connection?.publish(this.voice.topicOf(to), bytes) ?? 0,
      retire: (number) => this.connection?.retire(number),
      othersCount: () => this.meeting.count,
      onDoubt: () => this.doubt(),
      onLess: () => this.rest(),
    });
  }

  /** Why nobody can be met there now; null while all is well. */
  get trouble(): string | null {
    if (this.connection !== null) return null;
    return this.lastError?.message ?? `${this.url}: not joined yet`;
  }

  /**
   * Joins, and stays joined: what the broker says against it is tried again, with back-off.
   * @throws LinkError LINK_IN_USE, LINK_URL, LINK_DENIED for what is wrong on this machine.
   */
  listen(listener: Listener): void {
    if (this.listener !== null) throw new LinkError('LINK_IN_USE', `${this.url} is joined already`);
    this.parts.login();
    if (this.address.caFile !== null) readCa(this.address.caFile, this.address);
    this.listener = listener;
    this.switchboard.onLink = listener.onLink;
    if (this.connection !== null) this.announce('here');
    else this.join();
  }

  /** Links stay open, and the connection as long as they do. */
  stopListening(): void {
    this.listener = null;
    this.switchboard.onLink = null;
    this.rest();
  }

  /** @throws LinkError */
  dial(inbox: string, signal: AbortSignal): Promise<Link> {
    return this.whileJoined(signal, () => this.switchboard.open(inbox, signal));
  }

  /** Joins with no other purpose than to see that it works. @throws LinkError */
  tryOut(signal: AbortSignal): Promise<void> {
    return this.whileJoined(signal, () => Promise.resolve());
  }

  private async whileJoined<T>(signal: AbortSignal, act: () => Promise<T>): Promise<T> {
    if (signal.aborted) throw abortOf(signal, this.url);
    this.waiting += 1;
    try {
      if (this.connection === null) await orAborted(this.connect(), signal, this.url);
      return await act();
    } finally {
      this.waiting -= 1;
      this.rest();
    }
  }

  private join(): void {
    this.connect().catch((cause: unknown) => {
      if (!(cause instanceof LinkError)) throw cause;
    });
  }

  private connect(): Promise<void> {
    this.retry.cancel();
    if (this.opening !== null) return this.opening.done;
    const abort = new AbortController();
    const done = this.openConnection(abort.signal);
    const opening = { abort, done };
    this.opening = opening;
    const settle = () => {
      if (this.opening === opening) this.opening = null;
    };
    done.then(settle, settle);
    return done;
  }

  private async openConnection(signal: AbortSignal): Promise<void> {
    const { timers, settings, login } = this.parts;
    await orAborted(this.resting, signal, this.url);
    this.voice.joins += 1;
    const { worldTopic, ownTopic } = this.voice;
    let mine: MqttConnection | null = null;
    try {
      mine = await MqttConnection.open({
        address: this.address,
        clientId: this.clientId,
        login: login(),
        timers,
        keepAliveMs: settings.mqttKeepAliveMs,
        connectMs: settings.dialMs,
        signal,
        topics: [worldTopic, ownTopic],
        will: { topic: worldTopic, payload: this.voice.seal('gone', worldTopic) },
        onMessage: (topic, payload) => this.onMessage(topic, payload),
        onEnd: (error) => {
          if (this.connection !== null) {
            if (this.connection === mine) this.onLost(error);
          } else if (!signal.aborted) this.echo.cancel();
        },
      });
      await this.prove(mine, signal);
    } catch (cause) {
      const error = mqttErrorOf(cause, this.url);
      if (!signal.aborted) this.failed(error);
      throw error;
    }
    this.connection = mine;
    this.opening = null;
    this.lastError = null;
    this.retry.isUp();
    this.parts.log('info', 'broker-up', { url: this.url });
    if (this.listener !== null) this.announce('here');
    this.rest();
  }

  private onLost(error: LinkError | null): void {
    this.connection = null;
    this.retry.isDown();
    const why = error ?? new LinkError('LINK_RESET', `${this.url}: left`);
    this.leave();
    this.switchboard.lost(why);
    this.failed(why);
  }

  private failed(error: LinkError): void {
    this.lastError = error;
    const isRepeated = this.retry.failures > 0;
    const level = isRepeated ? 'debug' : error.code === 'LINK_DENIED' ? 'warn' : 'info';
    this.parts.log(level, 'broker-down', { url: this.url, reason: error.message });
    if (this.listener !== null) this.retry.schedule(() => this.join());
  }

  /** Nobody needs the connection any more: says so and lets it go. */
  private rest(): void {
    if (this.listener !== null || this.waiting > 0 || !this.switchboard.isEmpty) return;
    this.retry.cancel();
    this.callOff();
    const { connection } = this;
    if (connection === null) return;
    this.say('gone', this.voice.worldTopic);
    this.connection = null;
    this.leave();
    this.resting = connection.close();
  }

  /** Whoever asks for a connection from now on gets another one. */
  private callOff(): void {
    const { opening } = this;
    if (opening === null) return;
    this.opening = null;
    opening.abort.abort(new LinkError('LINK_ABORTED', `${this.url}: no longer wanted`));
    this.echo.cancel();
  }

  private leave(): void {
    this.cancelAnnounce?.();
    this.echo.cancel();
    this.meeting.leave();
  }

  /** Says that we are here; from then on now and then, for those who did not hear it. */
  private announce(kind: 'here' | 'answer'): void {
    const { timers, random, settings } = this.parts;
    this.say(kind, this.voice.worldTopic);
    this.cancelAnnounce?.();
    const delayMs = settings.mqttAnnounceMs * (0.75 + 0.5 * random.fraction());
    this.cancelAnnounce = timers.after(delayMs, () => {
      this.meeting.sweep();
      this.doubt();
      this.announce('answer');
    });
  }

  /** Leaves a broker that does not deliver. */
  private doubt(): void {
    const { connection } = this;
    if (connection === null) return;
    void this.echo
      .ask((ids) => this.say('echo', this.voice.ownTopic, ids))
      .then((isBack) => {
        const why = `${this.url}: the broker delivers nothing`;
        if (isBack === false) connection.fail(new LinkError('LINK_TIMEOUT', why));
      });
  }

  /** @throws LinkError LINK_DENIED where what we publish does not come back. */
  private async prove(connection: MqttConnection, signal: AbortSignal): Promise<void> {
    const { voice, url } = this;
    const isBack = await this.echo.ask((ids) => {
      connection.publish(voice.ownTopic, voice.seal('echo', voice.ownTopic, ids));
    });
    if (isBack === true && !signal.aborted) return;
    const why = `nothing comes back from ${voice.topicOf('#')}; see the broker's access rules`;
    const denied = new LinkError('LINK_DENIED', `${url}: ${why}`);
    const error = signal.aborted ? abortOf(signal, url) : denied;
    connection.fail(error);
    throw error;
  }

  private say(kind: NoteKind, topic: string, ids?: NoteIds): void {
    this.connection?.publish(topic, this.voice.seal(kind, topic, ids));
  }

  private onMessage(topic: string, payload: Uint8Array): void {
    if (this.switchboard.onPacket(payload, topic === this.voice.worldTopic)) return;
    const note = this.voice.open(topic, payload);
    if (note === null) return;
    switch (note.kind) {
      case 'here':
      case 'answer':
        this.meeting.here(note);
        if (note.kind === 'here' && this.listener !== null && !this.voice.isOwn(note)) {
          this.say('answer', this.voice.topicOf(toHex(note.inbox)));
        }
        return;
      case 'gone':
        this.meeting.gone(note);
        return;
      case 'echo':
        this.echo.heard(note);
        return;
      default:
        this.switchboard.onNote(note);
    }
  }
}
