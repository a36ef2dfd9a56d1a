import type { HashFunction } from '../model/bytes.ts';
import { invariant } from '../model/invariant.ts';
import type { Pact } from '../model/pact.ts';
import type { PactId } from '../model/sync-group.ts';
import type { EntryCodec, PactReader } from '../ports/pacts.ts';
import { builtInDefinitions } from './built-in.ts';
import { CborReader } from './cbor-reader.ts';
import { CborWriter } from './cbor-writer.ts';
import {
  checkLength,
  definitionToFile,
  type PactBody,
  sealPact,
  writeDefinition,
} from './definition.ts';
import { type CodecParts, ENTRY_BYTES_MAX, PactEntryCodec } from './entry-codec.ts';
import { parseJson, readPactFile } from './pact-file.ts';
import { notPermitted } from './subset.ts';

/** Compiled Pacts kept; the one used longest ago gives way. */
const CODECS_MAX = 256;

export interface PactReaderOptions {
  readonly hash: HashFunction;
  /** Longest Entry that codecs accept, in bytes; 4 MiB unless given. */
  readonly entryBytesMax?: number;
}

export function createPactReader(options: PactReaderOptions): PactReader {
  return new JsonPactReader(options);
}

class JsonPactReader implements PactReader {
  private readonly hash: HashFunction;
  private readonly parts: CodecParts;
  private readonly codecs = new Map<PactId, EntryCodec>();

  constructor({ hash, entryBytesMax = ENTRY_BYTES_MAX }: PactReaderOptions) {
    this.hash = hash;
    this.parts = {
      writer: new CborWriter(entryBytesMax),
      reader: new CborReader(),
      entryBytesMax,
    };
  }

  readFile(text: string, find: (nameOrId: string) => Pact | undefined): Pact {
    checkLength(text);
    const body = readPactFile(parseJson(text), {
      find,
      fieldsOf: (pact) => readBody(pact.definition).fields,
      builtIn: false,
    });
    return sealPact(this.hash, body);
  }

  readDefinition(definition: string): Pact {
    checkLength(definition);
    return sealPact(this.hash, readBody(definition));
  }

  codecOf(pact: Pact): EntryCodec {
    const known = this.codecs.get(pact.id);
    const { fields } = known === undefined ? readBody(pact.definition) : { fields: [] };
    const codec = known ?? new PactEntryCodec(pact, fields, this.parts);
    this.codecs.delete(pact.id);
    this.codecs.set(pact.id, codec);
    for (const oldest of this.codecs.keys()) {
      if (this.codecs.size <= CODECS_MAX) break;
      this.codecs.delete(oldest);
    }
    return codec;
  }
}

/** Reads a definition; only the canonical text of a Pact is one. @throws PactError */
function readBody(definition: string): PactBody {
  const { file, extends: parent } = definitionToFile(parseJson(definition));
  const body = readPactFile(file, {
    find: () => undefined,
    fieldsOf: () => [],
    builtIn: builtInDefinitions().has(definition),
  });
  const read = { ...body, extends: parent };
  if (writeDefinition(read) !== definition) throw notPermitted('', 'is not in its canonical form');
  invariant(read.fields.length > 0, 'a Pact has fields');
  return read;
}
