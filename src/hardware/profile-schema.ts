/** A JSON Schema of `boards/*.json`: everything named, nothing else permitted. */
const text = { type: 'string', minLength: 1, maxLength: 300 } as const;
const line = { type: 'integer', minimum: 0, maximum: 511 } as const;
const nullOr = (schema: object) => ({ anyOf: [{ type: 'null' }, schema] });
const list = (items: object, maxItems: number, minItems = 0) => {
  return { type: 'array', items, minItems, maxItems };
};
/** Names that end with `?` may be missing. */
const object = (properties: Readonly<Record<string, object>>) => ({
  type: 'object',
  properties: Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name.replace('?', ''), schema]),
  ),
  required: Object.keys(properties).filter((name) => !name.endsWith('?')),
  additionalProperties: false,
});

export const PROFILE_SCHEMA = object({
  schema: { const: 1 },
  id: { type: 'string', pattern: '^[a-z0-9-]{1,40}$' },
  name: text,
  detect: nullOr(object({ model: text, compatible: text })),
  soc: text,
  cpu: object({
    cores: { type: 'integer', minimum: 1, maximum: 64 },
    core: text,
    mhzMax: { type: 'integer', minimum: 1, maximum: 10_000 },
    hasCryptoExtensions: { type: 'boolean' },
  }),
  ramMib: list({ type: 'integer', minimum: 1, maximum: 262_144 }, 16),
  gpio: object({
    chip: text,
    lines: { type: 'integer', minimum: 1, maximum: 512 },
    basesSeen: list(object({ kernel: text, base: { type: 'integer', minimum: 0 } }), 16),
  }),
  header: object({
    name: { type: 'string', pattern: '^[A-Z]+[0-9]*$' },
    note: nullOr(text),
    pins: list(
      object({
        pin: { type: 'integer', minimum: 1, maximum: 200 },
        'power?': { enum: ['3V3', '5V', 'GND'] },
        'line?': line,
        'alt?': list(text, 8, 1),
        'reservedFor?': text,
      }),
      200,
      1,
    ),
  }),
  pwm: list(
    object({
      device: text,
      channels: list(object({ channel: line, lines: list(line, 8, 1) }), 16, 1),
      enable: text,
      note: text,
    }),
    8,
  ),
  uarts: list(object({ path: text, tx: line, rx: line, enable: text, 'note?': text }), 16),
  i2c: list(object({ path: text, sda: line, scl: line, enable: text }), 16),
  spi: list(object({ path: text, cs: line, mosi: line, miso: line, sclk: line, enable: text }), 16),
  outputsPersist: object({
    default: { type: 'boolean' },
    parameter: nullOr({ type: 'string', pattern: '^/sys/' }),
    turnOff: nullOr(text),
  }),
  sources: list(
    object({
      of: list({ type: 'string', pattern: '^/' }, 16, 1),
      mark: { enum: ['measured', 'read', 'recalled', 'chosen'] },
      from: text,
    }),
    32,
    1,
  ),
});
