import { ByteReader, ByteWriter } from '../model/codec.ts';
import type { AvatarRecord, EvidenceRecord } from '../ports/store.ts';
import type { Connection, Query } from './connection.ts';
import { toBlob, toBlobOrNull, toBytes, toId, toIdOrNull, toNumber, toText } from './sql-value.ts';

/** Of one offender so many proofs are kept: enough to convict, too few to push out others. */
const EVIDENCE_PER_OFFENDER_MAX = 16;

/** Settings, Avatars, added links and evidence: what is only put and read back. */
export class NoteTables {
  private readonly evidenceMax: number;
  private readonly setting: Query;
  private readonly setSetting: Query;
  private readonly setAvatar: Query;
  private readonly allAvatars: Query;
  private readonly addPeer: Query;
  private readonly allPeers: Query;
  private readonly addEvidence: Query;
  private readonly allEvidence: Query;

  constructor(connection: Connection, evidenceMax: number) {
    this.evidenceMax = evidenceMax;
    this.setting = connection.prepare('SELECT value FROM vb_setting WHERE name = ?');
    this.setSetting = connection.prepare(
      `INSERT INTO vb_setting VALUES (?, ?)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    );
    this.setAvatar = connection.prepare(
      `INSERT INTO vb_avatar VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET name = excluded.name, seen_at = excluded.seen_at`,
    );
    this.allAvatars = connection.prepare('SELECT id, name, seen_at FROM vb_avatar ORDER BY id');
    this.addPeer = connection.prepare('INSERT INTO vb_peer VALUES (?) ON CONFLICT DO NOTHING');
    this.allPeers = connection.prepare('SELECT url FROM vb_peer ORDER BY url');
    this.addEvidence = connection.prepare(
      `INSERT INTO vb_evidence SELECT @id, @group, @offender, @kind, @items, @seen
       WHERE (SELECT count(*) FROM vb_evidence WHERE offender = @offender) < @each
         AND (SELECT count(*) FROM vb_evidence) < @max
       ON CONFLICT DO NOTHING`,
    );
    this.allEvidence = connection.prepare('SELECT * FROM vb_evidence ORDER BY seen_at LIMIT ?');
  }

  read(name: string): Uint8Array | null {
    const row = this.setting.get(name);
    return row === undefined ? null : toBytes(row['value']);
  }

  write(name: string, value: Uint8Array): void {
    this.setSetting.run(name, value);
  }

  putAvatar(avatar: AvatarRecord): void {
    this.setAvatar.run(toBlob(avatar.id), avatar.name, avatar.seenAtMs);
  }

  avatars(): AvatarRecord[] {
    return this.allAvatars.all().map((row) => ({
      id: toId(row['id']),
      name: toText(row['name']),
      seenAtMs: toNumber(row['seen_at']),
    }));
  }

  putPeerUrl(url: string): void {
    this.addPeer.run(url);
  }

  peerUrls(): string[] {
    return this.allPeers.all().map((row) => toText(row['url']));
  }

  putEvidence(evidence: EvidenceRecord): void {
    const items = new ByteWriter().u16(evidence.items.length);
    for (const item of evidence.items) items.longBytes(item);
    this.addEvidence.run({
      id: toBlob(evidence.id),
      group: toBlobOrNull(evidence.group),
      offender: toBlob(evidence.offender),
      kind: evidence.kind,
      items: items.finish(),
      seen: evidence.seenAtMs,
      each: EVIDENCE_PER_OFFENDER_MAX,
      max: this.evidenceMax,
    });
  }

  evidence(limit: number): EvidenceRecord[] {
    return this.allEvidence.all(limit).map((row) => ({
      id: toId(row['id']),
      group: toIdOrNull(row['group_id']),
      offender: toId(row['offender']),
      kind: toText(row['kind']),
      items: readItems(toBytes(row['items'])),
      seenAtMs: toNumber(row['seen_at']),
    }));
  }
}

function readItems(bytes: Uint8Array): Uint8Array[] {
  const reader = new ByteReader(bytes);
  return Array.from({ length: reader.u16() }, () => reader.longBytes(bytes.length));
}
