import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../src/model/codec.ts';

test.each([0, 1, 2, 3, 4, 5, 6, 7])(
  'a writer may grow within a field of any width, %i bytes before its end',
  (spare) => {
    for (const width of ['u8', 'u16', 'u32', 'u64'] as const) {
      const writer = new ByteWriter(8 + spare).u64(7)[width](200).u64(9);
      const reader = new ByteReader(writer.finish());
      expect([reader.u64(), reader[width](), reader.u64(), reader.remaining]).toEqual([
        7, 200, 9, 0,
      ]);
    }
  },
);
