/** Control characters, so that what a peer calls itself cannot steer anybody's terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** @returns the text with control characters written as `\u001b`, on one line. */
export function plainText(text: string): string {
  return text.replace(
    CONTROL,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** JSON on one line; what a terminal would heed is escaped, which reads back as the same value. */
export function plainJson(value: object): string {
  return plainText(JSON.stringify(value));
}
