import { LinkError, type LinkErrorCode } from '../../ports/link.ts';

const CODES: Readonly<Record<string, LinkErrorCode>> = {
  ECONNREFUSED: 'LINK_REFUSED',
  EHOSTUNREACH: 'LINK_UNREACHABLE',
  ENETUNREACH: 'LINK_UNREACHABLE',
  ENETDOWN: 'LINK_UNREACHABLE',
  EHOSTDOWN: 'LINK_UNREACHABLE',
  ENOTFOUND: 'LINK_UNREACHABLE',
  EAI_AGAIN: 'LINK_UNREACHABLE',
  EADDRNOTAVAIL: 'LINK_UNREACHABLE',
  ETIMEDOUT: 'LINK_TIMEOUT',
  EADDRINUSE: 'LINK_IN_USE',
  EACCES: 'LINK_DENIED',
  EPERM: 'LINK_DENIED',
};

/** What the operating system says of a TCP link, in the words of the port. */
export function tcpErrorOf(cause: unknown, url: string): LinkError {
  if (cause instanceof LinkError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no code';
  return new LinkError(CODES[code] ?? 'LINK_RESET', `${url}: ${code}`, { cause });
}
