import { BoardError, type Pin } from '../ports/board.ts';
import type { BoardProfile, HeaderPin, PwmProfile } from '../ports/board-profile.ts';

const NAME_CHARACTERS_MAX = 32;

/**
 * Finds a pin by `GPIO17` or `J8:11`; letters may be small.
 *
 * @throws BoardError BOARD_PIN_UNKNOWN, BOARD_PIN_NOT_GPIO, BOARD_PIN_RESERVED
 */
export function resolvePin(profile: BoardProfile, text: string): Pin {
  const { name: header, pins } = profile.header;
  const written = text.slice(0, NAME_CHARACTERS_MAX).toUpperCase();
  const byLine = /^GPIO(\d{1,3})$/.exec(written);
  const byPlace = /^([A-Z]+\d*):(\d{1,3})$/.exec(written);
  const found = pins.find((each) =>
    byLine === null
      ? byPlace?.[1] === header && each.pin === Number(byPlace[2])
      : each.line === Number(byLine[1]),
  );
  if (found === undefined) throw unknownPin(profile, text);
  const place = `${header}:${found.pin}`;
  const { line } = found;
  if (line === undefined) {
    const message = `${place} is ${found.power ?? 'no line'}: it can be neither read nor driven.`;
    throw new BoardError('BOARD_PIN_NOT_GPIO', `${message} ${choiceOf(profile)}`);
  }
  const name = `GPIO${line}`;
  if (found.reservedFor !== undefined) {
    const message = `${name} (${place}) is reserved for: ${found.reservedFor}.`;
    throw new BoardError('BOARD_PIN_RESERVED', `${message} ${choiceOf(profile)}`);
  }
  return { name, line, place };
}

function unknownPin(profile: BoardProfile, text: string): BoardError {
  const shown = JSON.stringify(text.slice(0, NAME_CHARACTERS_MAX));
  const message = `The ${profile.name} has no pin ${shown}. ${choiceOf(profile)}`;
  return new BoardError('BOARD_PIN_UNKNOWN', message);
}

function choiceOf(profile: BoardProfile): string {
  const lines = profile.header.pins.filter(isFree).map((each) => each.line!);
  const example = profile.header.pins.find(isFree)?.pin ?? 1;
  const range = `GPIO${Math.min(...lines)} to GPIO${Math.max(...lines)}`;
  return `Take ${range}, or a place such as ${profile.header.name}:${example}.`;
}

function isFree(pin: HeaderPin): boolean {
  return pin.line !== undefined && pin.reservedFor === undefined;
}

export interface PwmChannel {
  readonly chip: PwmProfile;
  readonly channel: number;
  readonly lines: readonly number[];
}

/** The PWM channel that comes out at a line; null: none does. */
export function pwmChannelOf(profile: BoardProfile, line: number): PwmChannel | null {
  for (const chip of profile.pwm) {
    const found = chip.channels.find((each) => each.lines.includes(line));
    if (found !== undefined) return { chip, ...found };
  }
  return null;
}

/** Lines that can do PWM, in order. */
export function pwmLinesOf(profile: BoardProfile): number[] {
  const lines = profile.pwm.flatMap((chip) => chip.channels.flatMap((each) => each.lines));
  return lines.sort((a, b) => a - b);
}
