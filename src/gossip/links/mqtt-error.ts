import { LinkError } from '../../ports/link.ts';
import { tcpErrorOf } from './tcp-error.ts';

const LOGIN_HINT = 'set mqtt_user and mqtt_password_file to what the broker knows';
const CA_HINT = 'name the certificate of whoever signed it: mqtts://host:8883?ca=/path/ca.pem';

/** Return codes of CONNACK (MQTT 3.1.1, 3.2.2.3). */
const REFUSALS: Readonly<Record<number, readonly [LinkError['code'], string]>> = {
  1: ['LINK_REFUSED', 'the broker does not speak MQTT 3.1.1'],
  2: ['LINK_DENIED', 'the broker does not take the client identifier'],
  3: ['LINK_REFUSED', 'the broker is not available'],
  4: ['LINK_DENIED', `the broker refuses user or password: ${LOGIN_HINT}`],
  5: ['LINK_DENIED', `the broker does not let us in: ${LOGIN_HINT}`],
};

const TLS_HINTS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `nobody we trust signed the broker's certificate: ${CA_HINT}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `nobody we trust signed the broker's certificate: ${CA_HINT}`,
  SELF_SIGNED_CERT_IN_CHAIN: `nobody we trust signed the broker's certificate: ${CA_HINT}`,
  DEPTH_ZERO_SELF_SIGNED_CERT: `the broker signed its certificate itself: ${CA_HINT}`,
  CERT_SIGNATURE_FAILURE: `the broker's certificate has a false signature: ${CA_HINT}`,
  CERT_HAS_EXPIRED: "the broker's certificate has expired; is this machine's clock right?",
  CERT_NOT_YET_VALID: "the broker's certificate is not valid yet; is this machine's clock right?",
  ERR_TLS_CERT_ALTNAME_INVALID: "the broker's certificate is for another host name",
  ERR_SSL_WRONG_VERSION_NUMBER: 'no TLS at this port: is it mqtt:// that you want?',
  EPROTO: 'no TLS at this port: is it mqtt:// that you want?',
};

/** What went wrong with a broker, in the words of the port and with what to do about it. */
export function mqttErrorOf(cause: unknown, url: string): LinkError {
  if (cause instanceof LinkError) return cause;
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  const refusal = typeof code === 'number' ? REFUSALS[code] : undefined;
  if (refusal !== undefined) return new LinkError(refusal[0], `${url}: ${refusal[1]}`, { cause });
  const hint = typeof code === 'string' ? TLS_HINTS[code] : undefined;
  if (hint !== undefined) return new LinkError('LINK_DENIED', `${url}: ${hint}`, { cause });
  if (typeof code === 'string' && !code.startsWith('ERR_')) return tcpErrorOf(cause, url);
  const said = cause instanceof Error ? cause.message : String(cause);
  const isSilent = /timeout/i.test(said);
  return new LinkError(isSilent ? 'LINK_TIMEOUT' : 'LINK_RESET', `${url}: ${said}`, { cause });
}
