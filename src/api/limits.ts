import type { Config } from '../participant/config.ts';

/** The settings that bound what an asker may send and get. */
export type ApiLimits = Pick<
  Config,
  | 'apiBodyBytesMax'
  | 'apiHeaderBytesMax'
  | 'apiConnectionsMax'
  | 'apiRequestTimeoutMs'
  | 'pullEntriesMax'
>;
