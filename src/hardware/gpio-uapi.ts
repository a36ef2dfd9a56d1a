/**
 * What the kernel's GPIO character device takes and gives, byte for byte: version 2, in kernels
 * from 5.10 on. All boards here are little-endian.
 *
 * @source Linux, include/uapi/linux/gpio.h
 */

/** Numbers of requests: direction, size of the argument, 0xB4, function (asm-generic/ioctl.h). */
export const GPIO_GET_CHIPINFO = 0x8044b401;
export const GPIO_V2_GET_LINEINFO = 0xc100b405;
export const GPIO_V2_GET_LINE = 0xc250b407;
export const GPIO_V2_LINE_SET_CONFIG = 0xc110b40d;
export const GPIO_V2_LINE_GET_VALUES = 0xc010b40e;
export const GPIO_V2_LINE_SET_VALUES = 0xc010b40f;
/** Of any descriptor: whether a read that has nothing waits. Takes an i32. */
export const FIONBIO = 0x5421;

export const CHIP_INFO_BYTES = 68;
export const LINE_INFO_BYTES = 256;
export const LINE_REQUEST_BYTES = 592;
export const LINE_CONFIG_BYTES = 272;
export const LINE_VALUES_BYTES = 16;
export const LINE_EVENT_BYTES = 48;

const NAME_BYTES = 32;
const ATTRIBUTE_OUTPUT_VALUES = 2;
const EVENT_RISING = 1;

const FLAGS = {
  input: 1n << 2n,
  output: 1n << 3n,
  rising: 1n << 4n,
  falling: 1n << 5n,
  up: 1n << 8n,
  down: 1n << 9n,
  /** No pull resistor: also where one was left on. */
  none: 1n << 10n,
} as const;

/** What one line is to be. */
export type LineConfig =
  | { readonly direction: 'in'; readonly bias: 'none' | 'up' | 'down'; readonly hasEdges: boolean }
  /** Driven from the first moment on; never another level before it. */
  | { readonly direction: 'out'; readonly isHigh: boolean };

/**
 * `struct gpio_v2_line_config` for one line.
 *
 * ```
 * offset  bytes  field
 *      0      8  flags
 *      8      4  num_attrs
 *     12     20  padding
 *     32    240  attrs: 10 of {id u32, padding u32, value u64, mask u64}
 *    272
 * ```
 */
export function packLineConfig(config: LineConfig, into?: DataView): Uint8Array {
  const bytes = new Uint8Array(into === undefined ? LINE_CONFIG_BYTES : 0);
  const view = into ?? new DataView(bytes.buffer);
  if (config.direction === 'in') {
    const edges = config.hasEdges ? FLAGS.rising | FLAGS.falling : 0n;
    view.setBigUint64(0, FLAGS.input | FLAGS[config.bias] | edges, true);
    return bytes;
  }
  view.setBigUint64(0, FLAGS.output, true);
  view.setUint32(8, 1, true);
  view.setUint32(32, ATTRIBUTE_OUTPUT_VALUES, true);
  view.setBigUint64(40, config.isHigh ? 1n : 0n, true);
  view.setBigUint64(48, 1n, true);
  return bytes;
}

export interface LineRequest {
  /** Number of the line on its chip. */
  readonly line: number;
  /** What the kernel shows as who has it: at most 31 ASCII characters. */
  readonly consumer: string;
  readonly config: LineConfig;
  /** Edges that may wait to be read; the kernel drops older ones beyond. */
  readonly eventsMax: number;
}

/**
 * `struct gpio_v2_line_request` for one line.
 *
 * ```
 * offset  bytes  field
 *      0    256  offsets: 64 of u32
 *    256     32  consumer
 *    288    272  config
 *    560      4  num_lines
 *    564      4  event_buffer_size
 *    568     20  padding
 *    588      4  fd: written by the kernel
 *    592
 * ```
 */
export function packLineRequest(request: LineRequest): Uint8Array {
  const bytes = new Uint8Array(LINE_REQUEST_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, request.line, true);
  const consumer = new TextEncoder().encode(request.consumer).subarray(0, NAME_BYTES - 1);
  bytes.set(consumer, 256);
  packLineConfig(request.config, new DataView(bytes.buffer, 288, LINE_CONFIG_BYTES));
  view.setUint32(560, 1, true);
  view.setUint32(564, request.eventsMax, true);
  return bytes;
}

/** The descriptor that a granted request holds. */
export function readLineDescriptor(request: Uint8Array): number {
  return viewOf(request).getInt32(588, true);
}

/** `struct gpio_v2_line_values`: bits u64, mask u64. */
export function packLineValue(isHigh: boolean): Uint8Array {
  const bytes = new Uint8Array(LINE_VALUES_BYTES);
  const view = viewOf(bytes);
  view.setBigUint64(0, isHigh ? 1n : 0n, true);
  view.setBigUint64(8, 1n, true);
  return bytes;
}

export function readLineValue(values: Uint8Array): boolean {
  return (viewOf(values).getBigUint64(0, true) & 1n) === 1n;
}

/** `struct gpiochip_info`: name 32, label 32, lines u32. */
export function readChipInfo(bytes: Uint8Array): { label: string; lines: number } {
  return { label: textAt(bytes, 32), lines: viewOf(bytes).getUint32(64, true) };
}

/** `struct gpio_v2_line_info`: name 32, consumer 32, offset u32, and more. */
export function packLineInfo(line: number): Uint8Array {
  const bytes = new Uint8Array(LINE_INFO_BYTES);
  viewOf(bytes).setUint32(64, line, true);
  return bytes;
}

/** Who has the line, as it called itself; empty: nobody. */
export function readLineConsumer(bytes: Uint8Array): string {
  return textAt(bytes, 32);
}

/**
 * `struct gpio_v2_line_event`, as many as were read.
 *
 * ```
 * offset  bytes  field
 *      0      8  timestamp_ns
 *      8      4  id: 1 rising, 2 falling
 *     12      4  offset
 *     16      4  seqno
 *     20      4  line_seqno
 *     24     24  padding
 *     48
 * ```
 *
 * @returns the level after each.
 */
export function readLineEvents(bytes: Uint8Array): boolean[] {
  const view = viewOf(bytes);
  const levels: boolean[] = [];
  for (let at = 0; at + LINE_EVENT_BYTES <= bytes.length; at += LINE_EVENT_BYTES) {
    levels.push(view.getUint32(at + 8, true) === EVENT_RISING);
  }
  return levels;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Ends at the first zero byte. */
function textAt(bytes: Uint8Array, offset: number): string {
  const field = bytes.subarray(offset, offset + NAME_BYTES);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}
