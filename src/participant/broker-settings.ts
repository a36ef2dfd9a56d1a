import { integer, plainText, type Setting } from './setting.ts';

/** Of links that go over an MQTT broker. */
export const BROKERS = {
  mqttUser: plainText(255, 'Our user name at the brokers; empty: none.'),
  mqttPasswordFile: plainText(
    4096,
    'Absolute path of a file, mode 0600, that holds the password and nothing else.',
  ),
  mqttKeepAliveMs: integer(
    [1000, 30_000, 3_600_000],
    'Longest silence towards a broker; after half as much again it tells the others that we left.',
  ),
  mqttDoubtMs: integer(
    [5000, 10_000, 600_000],
    'Nobody confirms what we sent for so long: ask whether the broker still delivers.',
  ),
  mqttBroadcast: {
    type: 'string',
    default: 'no',
    enum: ['no', 'yes'],
    description: 'yes: what all others at a broker should have is published once for all of them.',
  },
  mqttAnnounceMs: integer(
    [1000, 300_000, 86_400_000],
    'How often we say there that we are here, for whoever missed it.',
  ),
} as const satisfies Record<string, Setting>;
