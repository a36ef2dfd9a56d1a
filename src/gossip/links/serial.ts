import { type Link, LinkError, type Listening, type Transport } from '../../ports/link.ts';
import { abortOf } from './called-off.ts';
import { openSerialPort, type SerialPortOpener } from './serial-port.ts';
import {
  SerialStation,
  type SerialStationHandler,
  type SerialStationParts,
} from './serial-station.ts';
import { parseSerialUrl } from './serial-url.ts';

export type SerialOptions = Omit<SerialStationParts, 'openPort'> & {
  readonly openPort?: SerialPortOpener;
  /** Hears why nobody can come over a cable; may hear the same again and again. */
  readonly onTrouble?: (url: string, error: LinkError) => void;
};

/**
 * Links over serial cables: `serial:///dev/ttyUSB0?baud=115200`. Both ends are alike: whether a
 * device is listened at or dialled, it is opened, called on, and called on again after each link.
 */
export class SerialTransport implements Transport {
  readonly kind = 'serial';
  readonly schemes = ['serial'];
  private readonly parts: SerialStationParts;
  private readonly onTrouble: (url: string, error: LinkError) => void;
  private readonly stations = new Map<string, SerialStation>();

  constructor(options: SerialOptions) {
    this.parts = { ...options, openPort: options.openPort ?? openSerialPort };
    this.onTrouble = options.onTrouble ?? (() => undefined);
  }

  isMeetingPlace(url: string): boolean {
    parseSerialUrl(url);
    return true;
  }

  /** One link. @throws also LinkError LINK_FRAME_BROKEN, LINK_DENIED, LINK_IN_USE */
  async dial(url: string, signal: AbortSignal): Promise<Link> {
    parseSerialUrl(url);
    if (signal.aborted) throw abortOf(signal, url);
    let callOff: () => void = () => undefined;
    const found = new Promise<Link>((resolve, reject) => {
      callOff = () => reject(abortOf(signal, url));
      signal.addEventListener('abort', callOff);
      const onLink = (link: Link) => {
        // Called off in the same moment: nobody has the link.
        if (signal.aborted) link.close(abortOf(signal, url));
        else resolve(link);
      };
      this.open(url, { onLink, onTrouble: reject }).then((station) => {
        const stop = () => station.stop();
        found.then(stop, stop);
      }, reject);
    });
    return found.finally(() => signal.removeEventListener('abort', callOff));
  }

  async listen(url: string, onLink: (link: Link) => void): Promise<Listening> {
    const onTrouble = (error: LinkError) => this.onTrouble(url, error);
    const station = await this.open(url, { onLink, onTrouble });
    return {
      url: station.url,
      get trouble() {
        return station.trouble;
      },
      close: async () => {
        station.stop();
        if (station.isEnding) await station.over;
      },
    };
  }

  private async open(url: string, handler: SerialStationHandler): Promise<SerialStation> {
    const address = parseSerialUrl(url);
    const before = this.stations.get(address.path);
    if (before?.isEnding) await before.over;
    if (this.stations.has(address.path)) {
      throw new LinkError('LINK_IN_USE', `${address.path} is open here already`);
    }
    const station = new SerialStation(this.parts, address, handler);
    this.stations.set(address.path, station);
    void station.over.then(() => this.stations.delete(address.path));
    station.start();
    return station;
  }
}
