import { DemoBroker } from './demo-broker.ts';
import { DemoCable, DemoPatch, type DemoWire } from './demo-wires.ts';

/** Who accepts what, and who dials what: one of the demo's Participants on its wires. */
export interface DemoEnds {
  readonly listen: readonly string[];
  readonly peers: readonly string[];
}

export type WireKind = 'tcp' | 'mqtt' | 'serial';

const BAUD = 921_600;

/**
 * The wires between the demo's three: TCP from the second to the first, a broker between the first
 * and the third, and a serial cable from the third to the second: a ring, so that any one wire may
 * be cut. Where no cable can be made the second joins the broker too; where no broker can, the
 * third dials the others.
 */
export class DemoNetwork {
  readonly ends: readonly [DemoEnds, DemoEnds, DemoEnds];
  readonly wires: ReadonlyMap<WireKind, DemoWire>;
  private readonly closing: readonly { close(): Promise<void> }[];

  private constructor(ends: DemoNetwork['ends'], parts: Parts) {
    this.ends = ends;
    const { patch, broker, cable } = parts;
    const wires: [WireKind, DemoWire | null][] = [
      ['tcp', patch],
      ['mqtt', broker],
      ['serial', cable],
    ];
    const there = wires.filter((each): each is [WireKind, DemoWire] => each[1] !== null);
    this.wires = new Map(there);
    this.closing = [patch, broker, cable].filter((each) => each !== null);
  }

  /** @param ports Of loopback, one for each Participant. */
  static async open(ports: readonly [number, number, number]): Promise<DemoNetwork> {
    const parts: Parts = {
      patch: await DemoPatch.open(ports[0]),
      broker: await DemoBroker.open(),
      cable: await DemoCable.open(),
    };
    return new DemoNetwork(endsOf(ports, parts), parts);
  }

  /** Pulls a wire out, or puts it back. */
  async toggle(kind: WireKind): Promise<void> {
    const wire = this.wires.get(kind);
    if (wire === undefined) return;
    await (wire.isWhole ? wire.cut() : wire.heal());
  }

  async heal(): Promise<void> {
    await Promise.all([...this.wires.values()].map((wire) => wire.heal()));
  }

  async close(): Promise<void> {
    await Promise.all(this.closing.map((each) => each.close()));
  }
}

interface Parts {
  readonly patch: DemoPatch;
  readonly broker: DemoBroker | null;
  readonly cable: DemoCable | null;
}

function endsOf(ports: readonly [number, number, number], parts: Parts): DemoNetwork['ends'] {
  const { patch, broker, cable } = parts;
  const [first, second, third] = ports.map((port) => `tcp://127.0.0.1:${port}`);
  const broker1 = broker === null ? [] : [broker.url];
  const [near, far] = (cable?.ends ?? []).map((path) => `serial://${path}?baud=${BAUD}`);
  const ownLinks = broker === null ? [first!, ...(cable === null ? [second!] : [])] : [];
  return [
    { listen: [first!, ...broker1], peers: [] },
    {
      listen: [second!, ...(cable === null ? broker1 : [])],
      peers: [patch.url, ...(near === undefined ? [] : [near])],
    },
    {
      listen: broker1.length > 0 ? broker1 : [third!],
      peers: [...ownLinks, ...(far === undefined ? [] : [far])],
    },
  ];
}
