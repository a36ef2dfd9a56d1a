import { describe, expect, it } from 'vitest';
import { checkSerial } from '../../src/participant/doctor-serial.ts';

const FINE = { commandLine: 'root=/dev/sda1 console=tty1', isInstalled: true };
const urlOf = (path: string): string => `serial://${path}?baud=9600`;

describe('the doctor of serial cables', () => {
  it('has nothing to say where no cable is used', () => {
    expect(checkSerial(['tcp://127.0.0.1:7411'], FINE)).toEqual([]);
  });

  it('finds nothing wrong with a device that may be used, named once or twice', () => {
    const urls = [urlOf('/dev/null'), `${urlOf('/dev/null')}&max_bits_per_second=1000`];
    expect(checkSerial(urls, FINE)).toEqual([
      { check: 'serial /dev/null', state: 'ok', found: 'may be used', mend: null },
    ]);
  });

  it.each([
    ['/dev/no-such-device', FINE, /no such device/],
    ['/proc/cmdline', FINE, /no serial device/],
    ['/dev/null', { ...FINE, isInstalled: false }, /npm install serialport/],
    ['/dev/null', { ...FINE, commandLine: 'console=null,115200 quiet' }, /console=null/],
  ])('says what is wrong with %s, and how to mend it', (path, surroundings, words) => {
    const [finding] = checkSerial([urlOf(path)], surroundings);
    expect(finding?.state).toBe('problem');
    expect(`${finding?.found} ${finding?.mend}`).toMatch(words);
  });
});
