import { isHex32 } from '../model/bytes.ts';
import { type ByteReader, ByteWriter, decoding } from '../model/codec.ts';
import type { AvatarId } from '../model/sync-group.ts';
import type { AvatarRecord } from '../ports/store.ts';
import { RequestError } from './face.ts';

const HELLO_VERSION = 1;
const NAME_BYTES_MAX = 64;
const SHORTEST_PREFIX = 4;

/**
 * What a Participant says of itself at the start of a session: `version u8 | length u16 | name`.
 */
export function encodeHello(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name).subarray(0, NAME_BYTES_MAX);
  // As of a stream: half a character at the end is left out.
  const text = new TextEncoder().encode(new TextDecoder().decode(bytes, { stream: true }));
  return new ByteWriter().u8(HELLO_VERSION).shortBytes(text).finish();
}

/** @returns the name a peer gave itself, without control characters; empty where it gave none. */
export function decodeHello(hello: Uint8Array): string {
  const read = decoding(hello, (reader: ByteReader) => {
    reader.u8();
    return reader.shortBytes(NAME_BYTES_MAX);
  });
  if (!read.ok) return '';
  return new TextDecoder().decode(read.value).replace(/\p{C}/gu, '').trim();
}

/** The Avatars of a World by name: those met, and oneself. */
export class Directory {
  private readonly self: AvatarRecord;
  private readonly avatars = new Map<AvatarId, AvatarRecord>();
  private readonly avatarsMax: number;

  constructor(self: AvatarRecord, known: readonly AvatarRecord[], avatarsMax: number) {
    this.self = self;
    this.avatarsMax = avatarsMax;
    for (const avatar of known) this.avatars.set(avatar.id, avatar);
    this.avatars.set(self.id, self);
  }

  /** @returns whether this is news that is to be kept. */
  observe(avatar: AvatarRecord): boolean {
    const known = this.avatars.get(avatar.id);
    if (known === undefined && this.avatars.size >= this.avatarsMax) return false;
    if (known?.name === avatar.name) return false;
    this.avatars.set(avatar.id, avatar);
    return true;
  }

  nameOf(avatar: AvatarId): string | null {
    return this.avatars.get(avatar)?.name || null;
  }

  /** For people: the name, or the beginning of the key. */
  labelOf(avatar: AvatarId): string {
    return this.nameOf(avatar) ?? avatar.slice(0, 12);
  }

  /**
   * Finds the Avatar that a person means.
   * @param owner `self`, a name, a key, or at least four digits that a key begins with.
   * @throws RequestError owner-unknown, owner-ambiguous
   */
  find(owner: string): AvatarId {
    if (owner === 'self') return this.self.id;
    if (isHex32(owner)) return owner;
    const all = [...this.avatars.values()];
    const named = all.filter((each) => each.name === owner);
    const meant =
      named.length > 0 || owner.length < SHORTEST_PREFIX
        ? named
        : all.filter((each) => each.id.startsWith(owner.toLowerCase()));
    const [only, ...others] = meant;
    if (only === undefined) {
      const known = all.map((each) => each.name || each.id.slice(0, 12)).join(', ');
      throw new RequestError(
        'owner-unknown',
        `Nobody called ${owner} was met in this World. Known: ${known}. ` +
          'Link to it first (vertebra peer add URL), or give its whole key.',
        { where: owner },
      );
    }
    if (others.length === 0) return only.id;
    const keys = meant.map((each) => each.id.slice(0, 12)).join(', ');
    throw new RequestError(
      'owner-ambiguous',
      `${owner} may be any of ${keys}. Give the beginning of the key instead.`,
      { where: owner },
    );
  }
}
