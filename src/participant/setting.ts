interface IntegerSetting {
  readonly type: 'integer';
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly description: string;
}

interface NumberSetting extends Omit<IntegerSetting, 'type'> {
  readonly type: 'number';
}

interface TextSetting {
  readonly type: 'string';
  readonly default: string;
  readonly maxLength: number;
  /** A regular expression of characters that are permitted. */
  readonly pattern: string;
  readonly description: string;
}

interface ChoiceSetting {
  readonly type: 'string';
  readonly default: string;
  readonly enum: readonly string[];
  readonly description: string;
}

interface ListSetting {
  readonly type: 'array';
  readonly default: readonly string[];
  readonly items: { readonly type: 'string'; readonly minLength: 1; readonly maxLength: number };
  readonly maxItems: number;
  readonly description: string;
}

/** One setting as a JSON Schema, so that typebox can judge a value of it. */
export type Setting = IntegerSetting | NumberSetting | TextSetting | ChoiceSetting | ListSetting;

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** @param range Lowest value, default, highest value. */
export function integer(range: readonly [number, number, number], description: string) {
  const [minimum, standard, maximum] = range;
  return { type: 'integer', default: standard, minimum, maximum, description } as const;
}

/** No control characters, and no halves of characters, which no file could hold. */
const PLAIN_TEXT = '^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]*$';

export function plainText(maxLength: number, description: string) {
  return { type: 'string', default: '', maxLength, pattern: PLAIN_TEXT, description } as const;
}

export function urls(standard: readonly string[], maxItems: number, description: string) {
  const items = { type: 'string', minLength: 1, maxLength: 255 } as const;
  return { type: 'array', default: standard, items, maxItems, description } as const;
}
