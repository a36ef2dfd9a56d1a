import { existsSync } from 'node:fs';
import { IdentityError } from '../identity/index.ts';
import { StoreError } from '../ports/store.ts';
import type { Config } from './config.ts';
import { ConfigError, loadConfig } from './config-file.ts';
import { brokersOf, checkBroker } from './doctor-broker.ts';
import type { Finding } from './doctor-finding.ts';
import { checkSerial } from './doctor-serial.ts';
import type { Home, WorldHome } from './home.ts';

export interface LinkSurroundings {
  readonly home: Home;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Looks at the links of one World: at each broker, be it named in the settings or kept with the
 * World (`vertebra peer add`, `--peer`), and at the serial devices that are kept with it. Those of
 * the settings belong to all Worlds. A fault in the settings, in the World's secret or in its
 * database is found elsewhere.
 */
export async function checkLinks(
  world: WorldHome,
  { home, environment }: LinkSurroundings,
): Promise<Finding[]> {
  let config: Config;
  try {
    config = loadConfig({ file: home.configFile, environment });
  } catch (cause) {
    if (cause instanceof ConfigError) return [];
    throw cause;
  }
  const kept = await keptLinks(world);
  const ofAll = [...config.listen, ...config.peers];
  const findings: Finding[] = [];
  try {
    for (const url of brokersOf([...ofAll, ...kept])) {
      findings.push(await checkBroker(world, url, config));
    }
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause;
  }
  const told = new Set(checkSerial(ofAll).map(({ check }) => check));
  const cables = checkSerial(kept).filter(({ check }) => !told.has(check));
  findings.push(...cables.map((each) => ({ ...each, check: `${world.name}: ${each.check}` })));
  return findings;
}

async function keptLinks(world: WorldHome): Promise<string[]> {
  if (!existsSync(world.databaseFile)) return [];
  const { readWorld } = await import('./reading.ts');
  try {
    const store = readWorld(world);
    try {
      return store.peerUrls();
    } finally {
      store.close();
    }
  } catch (cause) {
    if (cause instanceof StoreError) return [];
    throw cause;
  }
}
