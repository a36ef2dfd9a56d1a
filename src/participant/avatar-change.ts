import { fromHex, toHex32 } from '../model/bytes.ts';
import type { AvatarId } from '../model/sync-group.ts';
import { type Store, StoreError } from '../ports/store.ts';

/** The store's setting that holds a byte once own things came from elsewhere. */
const CLONED = 'cloned';

/** The store's setting that names the Avatar which took over from an earlier one. */
const AVATAR = 'avatar';

/** Did own things come that this disk does not have? Then its Avatar promises nothing any more. */
export function isCloned(store: Store): boolean {
  return (store.setting(CLONED)?.length ?? 0) > 0;
}

export function markCloned(store: Store): void {
  store.putSetting(CLONED, Uint8Array.of(1));
}

/** The Avatar that took over; null where the first still goes on. */
export function successorOf(store: Store): AvatarId | null {
  const bytes = store.setting(AVATAR);
  return bytes === null ? null : toHex32(bytes);
}

/** From now on nobody but this Avatar opens the store. Inside a transaction. */
export function putSuccessor(store: Store, avatar: AvatarId): void {
  store.putSetting(AVATAR, fromHex(avatar));
  store.putSetting(CLONED, new Uint8Array(0));
}

/**
 * An Avatar that gave way to another never votes again with this database, whatever became of key
 * files.
 *
 * @throws StoreError STORE_FOREIGN
 */
export function refuseRetired(store: Store, self: AvatarId, file: string): void {
  const successor = successorOf(store);
  if (successor === null || successor === self) return;
  const message =
    `${file} goes on under the Avatar ${successor.slice(0, 12)}, and the key that is here makes ` +
    `${self.slice(0, 12)}, which gave way to it. If vertebra log adopt was interrupted, run it ` +
    'again; else put back the file avatar.key of this World.';
  throw new StoreError('STORE_FOREIGN', message);
}

/** What to tell whoever looks, and what to do. */
export function describeHalt(reason: string): string {
  return (
    `This Participant stopped issuing and voting: ${reason}. Most likely a card was cloned, an ` +
    'old backup restored or the database lost. It goes on holding what the others agree on. ' +
    'Stop it and run: vertebra log adopt. It then goes on under a new Avatar (docs/forks.md).'
  );
}
