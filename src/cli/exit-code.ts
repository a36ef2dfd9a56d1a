/** What the process ends with. @source architecture, Faces. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  refused: 4,
  notFound: 5,
  conflict: 6,
  timeout: 7,
  problems: 8,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Something that the user asked for cannot be; the message says why and what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: string;
  readonly exit: ExitCode;

  constructor(exit: ExitCode, code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.exit = exit;
    this.code = code;
  }
}

/**
 * Exits by the literal codes of errors, wherever they were thrown: here, in the Participant, or in
 * the agent behind the socket.
 */
const EXITS: Readonly<Record<string, ExitCode>> = {
  'agent-unreachable': EXIT.unreachable,
  closed: EXIT.unreachable,
  timeout: EXIT.timeout,

  'entry-invalid': EXIT.refused,
  'entry-too-long': EXIT.refused,
  'buffer-full': EXIT.refused,
  'pact-invalid': EXIT.refused,
  'behavior-invalid': EXIT.refused,
  'saga-invalid': EXIT.refused,
  'owners-too-many': EXIT.refused,
  'group-not-owned': EXIT.refused,
  'group-unchanged': EXIT.refused,
  'group-handed-over': EXIT.refused,
  'group-split': EXIT.refused,
  'fork-not-accepted': EXIT.refused,
  'rules-unknown': EXIT.usage,
  'url-invalid': EXIT.refused,
  halted: EXIT.refused,
  'body-too-long': EXIT.refused,
  'body-malformed': EXIT.refused,
  'query-malformed': EXIT.usage,
  'not-found': EXIT.notFound,
  'pact-unknown': EXIT.notFound,
  'behavior-unknown': EXIT.notFound,
  'saga-unknown': EXIT.notFound,
  BEHAVIOR_UNREADABLE: EXIT.notFound,
  BEHAVIOR_TOOL_MISSING: EXIT.notFound,
  'group-unknown': EXIT.notFound,
  'entry-unknown': EXIT.notFound,
  'owner-unknown': EXIT.notFound,
  'pact-conflict': EXIT.conflict,
  'group-ambiguous': EXIT.conflict,
  'owner-ambiguous': EXIT.conflict,

  HOME_MISSING: EXIT.notFound,
  WORLD_NAME: EXIT.usage,
  WORLD_UNSAID: EXIT.usage,
  WORLD_UNKNOWN: EXIT.notFound,
  WORLD_EXISTS: EXIT.conflict,
  WORLD_IN_USE: EXIT.conflict,
  ADOPT_NEEDLESS: EXIT.refused,
  CONFIG_UNKNOWN: EXIT.usage,
  CONFIG_NOT_TOML: EXIT.usage,
  CONFIG_NOT_PERMITTED: EXIT.usage,
  IDENTITY_FILE_MISSING: EXIT.notFound,
  IDENTITY_FILE_EXISTS: EXIT.conflict,
  IDENTITY_FILE_EXPOSED: EXIT.refused,
  IDENTITY_FILE_WRONG_SIZE: EXIT.refused,
  IDENTITY_FILE_MALFORMED: EXIT.refused,
  STORE_BUSY: EXIT.conflict,
  STORE_READ_ONLY: EXIT.refused,
  LINK_URL: EXIT.usage,
  BOARD_UNKNOWN: EXIT.notFound,
  BOARD_PIN_UNKNOWN: EXIT.usage,
  BOARD_PIN_NOT_GPIO: EXIT.usage,
  BOARD_PIN_RESERVED: EXIT.refused,
  BOARD_PIN_HELD: EXIT.conflict,
  BOARD_PERMISSION: EXIT.refused,
  BOARD_INTERFACE_MISSING: EXIT.notFound,
  BOARD_PACKAGE_MISSING: EXIT.notFound,
  BOARD_UNSUPPORTED: EXIT.refused,
  BOARD_VALUE: EXIT.usage,
};

/** What an error says of itself: its class need not be known here, nor loaded for it. */
export interface Failure {
  readonly exit: ExitCode;
  readonly code: string;
  readonly message: string;
  /** The field, argument or line at fault. */
  readonly where: string | null;
  /** Of our own bugs, for whoever mends them. */
  readonly stack: string | null;
}

export function failureOf(error: unknown): Failure {
  const isError = error instanceof Error;
  const code = isError && 'code' in error && typeof error.code === 'string' ? error.code : null;
  const message = isError ? error.message : String(error);
  const where = isError && 'where' in error && typeof error.where === 'string' ? error.where : null;
  const known = error instanceof CliError ? error.exit : code === null ? undefined : EXITS[code];
  const isBug = code === null;
  return {
    exit: known ?? EXIT.failed,
    code: code ?? 'bug',
    message,
    where,
    stack: isBug && isError ? (error.stack ?? null) : null,
  };
}
