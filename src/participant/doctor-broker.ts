import { randomBytes } from 'node:crypto';
import { splitBudget } from '../gossip/links/budget-url.ts';
import { MqttTransport } from '../gossip/links/mqtt.ts';
import { parseMqttUrl } from '../gossip/links/mqtt-url.ts';
import { deriveWorld, loadSecretFile } from '../identity/index.ts';
import { LinkError } from '../ports/link.ts';
import { loadBrokerLogin } from './broker-login.ts';
import type { Config } from './config.ts';
import type { Finding } from './doctor-finding.ts';
import type { WorldHome } from './home.ts';
import { SystemClock } from './system-clock.ts';

/** How long a broker may take for all of it. */
const ANSWER_MS = 10_000;

const MENDS: Partial<Record<LinkError['code'], string>> = {
  LINK_REFUSED: 'Nobody listens there. Is the broker running (systemctl status mosquitto)?',
  LINK_UNREACHABLE: 'Check the host name and the network: ping it from here.',
  LINK_TIMEOUT: 'Something on the way keeps silent: a firewall, or a broker that hangs.',
  LINK_URL: 'Write it as mqtt://host:1883 or mqtts://host:8883?ca=/path/ca.pem',
};

/** Brokers among the links that a configuration names, each once. */
export function brokersOf(urls: readonly string[]): string[] {
  const brokers = urls.filter((url) => /^mqtts?:/.test(url));
  return [...new Set(brokers.map((url) => splitBudget(url).url))];
}

/**
 * Joins a broker as an agent would, with TLS, user and password, has it bring back a message of
 * our own, and leaves again. Others of the World hear nothing of it.
 */
export async function checkBroker(world: WorldHome, url: string, config: Config): Promise<Finding> {
  const check = `${world.name}: broker`;
  try {
    await tryBroker(world, url, config);
    const { isTls } = parseMqttUrl(url);
    const found = `${url} delivers`;
    if (isTls || config.mqttUser === '' || isLoopback(url)) {
      return { check, state: 'ok', found, mend: null };
    }
    const mend = 'Use mqtts://: what we send is sealed, but the password is not.';
    return { check, state: 'note', found: `${found}, and hears the password in clear`, mend };
  } catch (cause) {
    if (!(cause instanceof LinkError)) throw cause;
    const mend = MENDS[cause.code] ?? 'See docs/links.md, Brokers.';
    return { check, state: 'problem', found: cause.message, mend };
  }
}

async function tryBroker(world: WorldHome, url: string, config: Config): Promise<void> {
  const keys = deriveWorld(loadSecretFile(world.secretFile, 'world'));
  const transport = new MqttTransport({
    timers: new SystemClock(),
    random: { bytes: (count) => randomBytes(count), fraction: Math.random },
    log: () => undefined,
    brokerKey: keys.brokerKey.reveal(),
    tag: keys.tag,
    // Somebody whom nobody knows: it says nothing to others anyway.
    self: randomBytes(32),
    login: () => loadBrokerLogin(config),
    settings: { ...config, mqttDoubtMs: ANSWER_MS / 2, dialMs: ANSWER_MS },
  });
  const late = new AbortController();
  const cancel = new SystemClock().after(ANSWER_MS, () => {
    late.abort(new LinkError('LINK_TIMEOUT', `${url}: no answer in ${ANSWER_MS / 1000} s`));
  });
  try {
    await transport.tryOut(url, late.signal);
  } finally {
    cancel();
  }
}

function isLoopback(url: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(parseMqttUrl(url).host);
}
