import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BrokerLogin } from '../../src/gossip/links/mqtt-connection.ts';
import { loadBrokerLogin } from '../../src/participant/broker-login.ts';
import { Mosquitto } from '../contract/mosquitto.ts';
import { MqttTap } from '../contract/mqtt-tap.ts';
import { memberOf } from './identity-session-ends.ts';
import { allLinked, MqttHouse } from './mqtt-house.ts';
import { guest } from './mqtt-stage.ts';

const TLS = resolve('test/vectors/tls');
const PASSWORD = 'correct horse';
const NEVER = new AbortController().signal;
const INBOX = '0a'.repeat(16);

let folder: string;
let guarded: Mosquitto;
let secured: Mosquitto;
const house = new MqttHouse();

/** A line of mosquitto's password file: PBKDF2 with SHA-512, 101 times. */
function passwordLine({ user, password }: { user: string; password: string }): string {
  const salt = randomBytes(12);
  const hash = pbkdf2Sync(password, salt, 101, 64, 'sha512');
  return `${user}:$7$101$${salt.toString('base64')}$${hash.toString('base64')}\n`;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vb-mqtt-login-'));
  const passwords = join(folder, 'passwords');
  writeFileSync(passwords, passwordLine({ user: 'yard', password: PASSWORD }), { mode: 0o600 });
  const rules = join(folder, 'rules');
  const tag = guest({ name: 'anna' }).tag;
  writeFileSync(rules, `user yard\ntopic readwrite vb1/${tag}/#\n`, { mode: 0o600 });
  guarded = await Mosquitto.start([
    'allow_anonymous false',
    `password_file ${passwords}`,
    `acl_file ${rules}`,
  ]);
  secured = await Mosquitto.start([
    'allow_anonymous true',
    `certfile ${TLS}/broker.pem`,
    `keyfile ${TLS}/broker.key`,
  ]);
});

afterEach(async () => {
  await house.leave();
});

afterAll(async () => {
  await Promise.all([guarded?.kill(), secured?.kill()]);
  rmSync(folder, { recursive: true, force: true });
});

/** How a dial ends at a broker that lets nobody in. */
async function refusal(url: string, login?: BrokerLogin): Promise<unknown> {
  const { transport } = guest({ name: 'anna', ...(login && { login }) });
  return await transport.dial(`${url}`, NEVER).then(
    () => 'linked',
    (cause: unknown) => cause,
  );
}

describe('a broker with passwords', () => {
  const login = { user: 'yard', password: PASSWORD };

  it('lets in whoever has the right one', async () => {
    const { transport } = guest({ name: 'anna', login });
    const listening = await transport.listen(guarded.url, () => undefined);
    const link = await transport.dial(listening.url, NEVER);
    expect(listening.trouble).toBe(null);
    link.close();
    await listening.close();
  });

  it.each([
    ['none', undefined],
    ['a wrong one', { user: 'yard', password: 'wrong' }],
    ['one of an unknown user', { user: 'nobody', password: PASSWORD }],
  ])('refuses %s, and we say what to set', async (_name, wrong) => {
    const error = await refusal(`${guarded.url}/${INBOX}`, wrong);
    expect(error).toMatchObject({ name: 'LinkError', code: 'LINK_DENIED' });
    expect(String(error)).toMatch(/set mqtt_user and mqtt_password_file/);
    expect(String(error)).not.toContain(PASSWORD);
  });

  it('is tried again, and joined when the password is right', async () => {
    let now: BrokerLogin = { user: 'yard', password: 'wrong' };
    const { transport, lines, said } = guest({ name: 'anna', login: () => now });
    const listening = await transport.listen(guarded.url, () => undefined);
    await said('broker-down');
    expect(listening.trouble).toMatch(/refuses user or password|does not let us in/);
    now = login;
    await said('broker-up');
    expect(listening.trouble).toBe(null);
    expect(lines.filter(({ level }) => level === 'warn').length).toBe(1);
    expect(JSON.stringify(lines)).not.toContain(PASSWORD);
    await listening.close();
  });

  it('that permits other topics alone is told from one that is down', async () => {
    const other = guest({ name: 'anna', world: 'another', login, doubtMs: 200 });
    const dialled = other.transport.dial(`${guarded.url}/${INBOX}`, NEVER);
    await expect(dialled).rejects.toMatchObject({
      code: 'LINK_DENIED',
      message: expect.stringContaining('access rules'),
    });
  });
});

describe('a broker with TLS', () => {
  const urlOf = (file: string, inbox = '') =>
    `mqtts://127.0.0.1:${secured.port}${inbox}?ca=${TLS}/${file}`;

  it('is joined by those that trust who signed its certificate', async () => {
    const [anna, ben] = [
      await house.join(memberOf(41), urlOf('ca.pem')),
      await house.join(memberOf(42), urlOf('ca.pem')),
    ];
    await allLinked(anna, ben);
  });

  it.each([
    [
      'another authority',
      () => urlOf('other-ca.pem', `/${INBOX}`),
      /nobody we trust signed|false signature/,
    ],
    ['no authority', () => `mqtts://127.0.0.1:${secured.port}/${INBOX}`, /\?ca=\/path\/ca\.pem/],
  ])('is not believed with %s', async (_name, url, why) => {
    const error = await refusal(url());
    expect(error).toMatchObject({ code: 'LINK_DENIED' });
    expect(String(error)).toMatch(why);
  });

  it('is told from one without, both ways', async () => {
    expect(String(await refusal(`mqtt://127.0.0.1:${secured.port}/${INBOX}`))).toMatch(/TLS/);
    const plain = `mqtts://127.0.0.1:${guarded.port}/${INBOX}`;
    expect(String(await refusal(plain))).toMatch(/is it mqtt:\/\/ that you want|closed without/);
  });

  it.each([
    ['does not exist', () => `${folder}/none.pem`, /cannot be read \(ENOENT\)/],
    ['is no certificate', () => `${TLS}/broker.key`, /holds no certificate/],
  ])('is not tried where the file of the authority %s', async (_name, path, why) => {
    const { transport } = guest({ name: 'anna' });
    const url = `mqtts://127.0.0.1:${secured.port}?ca=${path()}`;
    const listening = transport.listen(url, () => undefined);
    await expect(listening).rejects.toMatchObject({ code: 'LINK_URL' });
    await expect(listening).rejects.toThrow(why);
  });
});

describe('what is no broker', () => {
  it('is told as such', async () => {
    const tap = await MqttTap.start(0);
    tap.brokerPort = null;
    expect(String(await refusal(`${tap.url}/${INBOX}`))).toMatch(/is it a broker/);
    await tap.close();
  });
});

describe('a password file', () => {
  const file = () => join(folder, 'password');
  const load = (text: string | null, mode = 0o600) => {
    rmSync(file(), { force: true });
    if (text !== null) {
      writeFileSync(file(), text);
      chmodSync(file(), mode);
    }
    return loadBrokerLogin({ mqttUser: 'yard', mqttPasswordFile: file() });
  };

  it('is one line, with or without its end', () => {
    const login = { user: 'yard', password: PASSWORD };
    expect(load(PASSWORD)).toEqual(login);
    expect(load(`${PASSWORD}\n`)).toEqual(login);
    expect(load(` ${PASSWORD} \r\n`)).toEqual({ user: 'yard', password: ` ${PASSWORD} ` });
  });

  it.each([
    ['is not there', null, 0o600, /ENOENT/],
    ['others may read', 'secret', 0o640, /chmod 600/],
    ['is empty', '\n', 0o600, /empty/],
    ['is long', 'x'.repeat(4_097), 0o600, /too long/],
  ])('that %s is refused', (_name, text, mode, why) => {
    expect(() => load(text, mode)).toThrow(why);
    expect(() => load(text, mode)).not.toThrow(/secret/);
  });

  it('needs a user, and is not needed', () => {
    const none = { mqttUser: '', mqttPasswordFile: '' };
    expect(loadBrokerLogin(none)).toBe(null);
    expect(loadBrokerLogin({ ...none, mqttUser: 'yard' })).toEqual({
      user: 'yard',
      password: null,
    });
    expect(() => loadBrokerLogin({ ...none, mqttPasswordFile: '/p' })).toThrow(/mqtt_user/);
    expect(() => loadBrokerLogin({ mqttUser: 'yard', mqttPasswordFile: 'p' })).toThrow(/absolute/);
  });
});
