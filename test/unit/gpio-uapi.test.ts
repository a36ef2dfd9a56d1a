import { describe, expect, test } from 'vitest';
import {
  CHIP_INFO_BYTES,
  FIONBIO,
  GPIO_GET_CHIPINFO,
  GPIO_V2_GET_LINE,
  GPIO_V2_GET_LINEINFO,
  GPIO_V2_LINE_GET_VALUES,
  GPIO_V2_LINE_SET_CONFIG,
  GPIO_V2_LINE_SET_VALUES,
  LINE_CONFIG_BYTES,
  LINE_INFO_BYTES,
  LINE_REQUEST_BYTES,
  packLineConfig,
  packLineInfo,
  packLineRequest,
  packLineValue,
  readChipInfo,
  readLineConsumer,
  readLineDescriptor,
  readLineEvents,
  readLineValue,
} from '../../src/hardware/gpio-uapi.ts';

/** Bytes in hexadecimal; `0*7` stands for seven of zero. As a C program with gpio.h wrote them. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(
    text.split(' ').flatMap((word) => {
      const [byte, count] = word.split('*');
      if (count !== undefined) return new Array<number>(Number(count)).fill(0);
      return [Number.parseInt(byte!, 16)];
    }),
  );
}

const OUT_HIGH = '08 0*7 01 0*23 02 0*7 01 0*7 01 0*223';

describe('what the GPIO character device takes and gives', () => {
  test('has the numbers of linux/gpio.h, which hold the sizes', () => {
    const requests = [GPIO_GET_CHIPINFO, GPIO_V2_GET_LINEINFO, GPIO_V2_GET_LINE];
    const lines = [GPIO_V2_LINE_SET_CONFIG, GPIO_V2_LINE_GET_VALUES, GPIO_V2_LINE_SET_VALUES];
    expect([...requests, ...lines, FIONBIO].map((each) => each.toString(16))).toEqual(
      '8044b401 c100b405 c250b407 c110b40d c010b40e c010b40f 5421'.split(' '),
    );
    const sizes = [...requests, ...lines].map((each) => (each >>> 16) & 0x3fff);
    expect(sizes).toEqual([
      ...[CHIP_INFO_BYTES, LINE_INFO_BYTES, LINE_REQUEST_BYTES],
      ...[LINE_CONFIG_BYTES, 16, 16],
    ]);
  });

  test.each([
    ['an input that is pulled up', { direction: 'in', bias: 'up', hasEdges: true }, '34 01 0*270'],
    ['one pulled down', { direction: 'in', bias: 'down', hasEdges: true }, '34 02 0*270'],
    ['nothing driven', { direction: 'in', bias: 'none', hasEdges: false }, '04 04 0*270'],
    ['an output that is high', { direction: 'out', isHigh: true }, OUT_HIGH],
    ['one that is low', { direction: 'out', isHigh: false }, '08 0*7 01 0*23 02 0*15 01 0*223'],
  ] as const)('configures %s', (_what, config, golden) => {
    expect(packLineConfig(config)).toEqual(bytesOf(golden));
  });

  test('asks for a line, and reads which descriptor holds it', () => {
    const request = { consumer: 'vertebra', config: { direction: 'out', isHigh: true } } as const;
    expect(packLineRequest({ ...request, line: 17, eventsMax: 0 })).toEqual(
      bytesOf(`11 0*255 76 65 72 74 65 62 72 61 0*24 ${OUT_HIGH} 01 0*31`),
    );
    const granted = packLineRequest({ ...request, line: 0x0201, eventsMax: 1024 });
    granted.set([4, 3, 2, 1], 588);
    expect(granted).toEqual(
      bytesOf(`01 02 0*254 76 65 72 74 65 62 72 61 0*24 ${OUT_HIGH} 01 0*4 04 0*22 04 03 02 01`),
    );
    expect(readLineDescriptor(granted)).toBe(0x01020304);
  });

  test('keeps a name within its 31 characters', () => {
    const config = { direction: 'out', isHigh: false } as const;
    const request = { line: 0, consumer: 'x'.repeat(99), config, eventsMax: 0 };
    const bytes = packLineRequest(request);
    expect(bytes).toHaveLength(LINE_REQUEST_BYTES);
    expect([bytes[286], bytes[287]]).toEqual(['x'.charCodeAt(0), 0]);
  });

  test('sets and reads levels', () => {
    expect(packLineValue(true)).toEqual(bytesOf('01 0*7 01 0*7'));
    expect(packLineValue(false)).toEqual(bytesOf('0*8 01 0*7'));
    expect(readLineValue(bytesOf('01 0*7 01 0*7'))).toBe(true);
    expect(readLineValue(bytesOf('0*8 01 0*7'))).toBe(false);
  });

  test('names a chip by its label, and who has a line', () => {
    const chip = '67 70 69 6f 63 68 69 70 30 0*23 70 69 6e 63 74 72 6c 2d 72 70 31 0*21 36 0*3';
    expect(readChipInfo(bytesOf(chip))).toEqual({ label: 'pinctrl-rp1', lines: 54 });
    const info = '47 50 49 4f 31 37 0*26 6c 65 64 30 0*28 11 0*7 01 0*183';
    expect(readLineConsumer(bytesOf(info))).toBe('led0');
    expect(packLineInfo(17)).toEqual(bytesOf('0*64 11 0*191'));
  });

  test('tells edges in their order, and none of half an event', () => {
    const rising = '08 07 06 05 04 03 02 01 01 0*3 11 0*3 05 0*3 05 0*27';
    const falling = '08 07 06 05 04 03 02 01 02 0*3 11 0*3 06 0*3 06 0*27';
    const events = bytesOf(`${rising} ${falling}`);
    expect(readLineEvents(events)).toEqual([true, false]);
    expect(readLineEvents(events.subarray(0, 95))).toEqual([true]);
    expect(readLineEvents(new Uint8Array())).toEqual([]);
  });
});
