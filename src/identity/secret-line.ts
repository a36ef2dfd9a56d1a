import { invariant } from '../model/invariant.ts';
import { IdentityError } from './identity-error.ts';
import { Secret } from './secret.ts';

/** What a secret is of: a Participant's seed, or a World's identifier. */
export type SecretKind = 'participant' | 'world';

const SECRET_BYTES = 32;
/** Base64url digits of 32 bytes, without padding. */
const DIGITS = 43;

/** First word of the line (it has the version), and what to call the secret. */
const KINDS = {
  participant: { label: 'vertebra-participant-1', noun: "a Participant's seed" },
  world: { label: 'vertebra-world-1', noun: 'a World identifier' },
} as const satisfies Record<SecretKind, { label: string; noun: string }>;

/** The longest of the lines, with `\r\n` in case somebody's editor wrote it. */
export const SECRET_LINE_BYTES_MAX = KINDS.participant.label.length + 1 + DIGITS + 2;

/**
 * A secret as a line that one can carry by hand: `LABEL BASE64URL\n`, the label being
 * `vertebra-participant-1` or `vertebra-world-1`.
 */
export function formatSecretLine(kind: SecretKind, secret: Secret): string {
  invariant(secret.length === SECRET_BYTES, `a secret on a line has ${SECRET_BYTES} bytes`);
  return `${KINDS[kind].label} ${Buffer.from(secret.reveal()).toString('base64url')}\n`;
}

function malformed(where: string, problem: string): IdentityError {
  const mend = 'Copy the file again from where it was made, byte for byte.';
  return new IdentityError('IDENTITY_FILE_MALFORMED', `${where} ${problem}. ${mend}`);
}

function refuseSize(bytes: Uint8Array, kind: SecretKind, where: string): void {
  const { label, noun } = KINDS[kind];
  const wholeBytes = label.length + 1 + DIGITS + 1;
  if (bytes.length >= wholeBytes - 1 && bytes.length <= wholeBytes + 1) return;
  const found = bytes.length > SECRET_LINE_BYTES_MAX ? 'more' : String(bytes.length);
  throw new IdentityError(
    'IDENTITY_FILE_WRONG_SIZE',
    `${where} should hold ${noun} in ${wholeBytes} bytes and has ${found}. ` +
      'It was cut short or is another file: copy it again from where it was made.',
  );
}

/**
 * Reads the line back. Its end may be `\n`, `\r\n` or missing.
 *
 * @param bytes At most `SECRET_LINE_BYTES_MAX` are looked at; more are refused.
 * @param where The file, for the error; the content never appears there.
 * @throws IdentityError
 */
export function parseSecretLine(bytes: Uint8Array, kind: SecretKind, where: string): Secret {
  const text = Buffer.from(bytes).toString('latin1');
  for (const [other, { label, noun }] of Object.entries(KINDS)) {
    if (other !== kind && text.startsWith(label)) {
      throw malformed(where, `holds ${noun}, where ${KINDS[kind].noun} should be`);
    }
  }
  refuseSize(bytes, kind, where);
  const match = /^(\S+) ([A-Za-z0-9_-]{43})\r?\n?$/.exec(text);
  if (match?.[1] !== KINDS[kind].label) {
    throw malformed(where, `does not read '${KINDS[kind].label}' and ${DIGITS} base64url digits`);
  }
  const digits = match[2] ?? '';
  const secret = Buffer.from(digits, 'base64url');
  // The last digit carries two spare bits: one text for each secret, no other.
  if (secret.length !== SECRET_BYTES || secret.toString('base64url') !== digits) {
    throw malformed(where, 'ends in a digit that no such file ends in');
  }
  return new Secret(secret);
}
