/** Part of each day, in minutes since midnight; it may go over midnight. */
export interface QuietHours {
  readonly fromMinute: number;
  /** The first that is not quiet. */
  readonly toMinute: number;
}

/** Reads `HH:MM-HH:MM`. @returns null where it is something else, or no time at all. */
export function parseQuietHours(text: string): QuietHours | null {
  const time = '([01]\\d|2[0-3]):([0-5]\\d)';
  const parts = new RegExp(`^${time}-${time}$`).exec(text)?.slice(1).map(Number);
  if (parts === undefined) return null;
  const [fromHour = 0, from = 0, toHour = 0, to = 0] = parts;
  const quiet = { fromMinute: 60 * fromHour + from, toMinute: 60 * toHour + to };
  return quiet.fromMinute === quiet.toMinute ? null : quiet;
}

export function isQuietAt({ fromMinute, toMinute }: QuietHours, minute: number): boolean {
  return fromMinute < toMinute
    ? minute >= fromMinute && minute < toMinute
    : minute >= fromMinute || minute < toMinute;
}

/** @param wallMs Milliseconds since 1970. @returns the minute of the day where this machine is. */
export function minuteOfDay(wallMs: number): number {
  const date = new Date(wallMs);
  return 60 * date.getHours() + date.getMinutes();
}
