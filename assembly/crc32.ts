/**
 * CRC-32 of IEEE 802.3 (reflected, polynomial 0xedb88320), eight bytes at a time.
 */
import { CRC_TABLES, INPUT, INPUT_BYTES_MAX } from './layout';

const POLYNOMIAL: u32 = 0xedb88320;
const TABLE_BYTES: usize = 1024;

/** Writes eight tables: table `n` takes a byte that `n` more bytes follow. */
export function prepareCrcTables(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    store<u32>(CRC_TABLES + 4 * (byte as usize), crc);
  }
  for (let at = CRC_TABLES; at < CRC_TABLES + 7 * TABLE_BYTES; at += 4) {
    const crc = load<u32>(at);
    store<u32>(at, (crc >> 8) ^ tableWord(0, crc & 0xff), TABLE_BYTES);
  }
}

/** Continues `seed`, the CRC of the bytes before (0 at the start), over `length` bytes of INPUT. */
export function crc32(seed: u32, length: i32): u32 {
  assert(<u32>length <= <u32>INPUT_BYTES_MAX, 'bytes longer than INPUT');
  let crc = ~seed;
  let at = INPUT;
  const end = INPUT + (length as usize);
  for (; at + 8 <= end; at += 8) {
    const low = crc ^ load<u32>(at);
    const high = load<u32>(at, 4);
    crc =
      tableWord(7, low & 0xff) ^
      tableWord(6, (low >> 8) & 0xff) ^
      tableWord(5, (low >> 16) & 0xff) ^
      tableWord(4, low >> 24) ^
      tableWord(3, high & 0xff) ^
      tableWord(2, (high >> 8) & 0xff) ^
      tableWord(1, (high >> 16) & 0xff) ^
      tableWord(0, high >> 24);
  }
  for (; at < end; at++) crc = (crc >> 8) ^ tableWord(0, (crc ^ load<u8>(at)) & 0xff);
  return ~crc;
}

function tableWord(table: usize, byte: u32): u32 {
  return load<u32>(CRC_TABLES + table * TABLE_BYTES + 4 * (byte as usize));
}
