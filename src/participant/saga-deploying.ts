import { readDeclared } from '../behavior/declared.ts';
import {
  type Behavior,
  encodeBehavior,
  joinBehavior,
  STANDARD_LIMITS,
  sealBehavior,
} from '../model/behavior.ts';
import { toHex32 } from '../model/bytes.ts';
import type { Pact } from '../model/pact.ts';
import {
  AFTER_MAX,
  type Description,
  deriveDescriptionId,
  deriveStageId,
  type SequencePlace,
  type Stage,
} from '../model/saga.ts';
import { faultOfSaga } from '../model/saga-check.ts';
import { statePactFile } from '../model/saga-state.ts';
import { readDescription, readStage, writeDescription, writeStage } from '../model/saga-text.ts';
import type { JsonRecord, Sandbox } from '../ports/sandbox.ts';
import type { Core } from './core.ts';
import { RequestError } from './face.ts';
import type { Requests } from './requests.ts';
import type { BehaviorFile } from './saga-face.ts';
import { invalid, readSagaFile, toStage } from './saga-file.ts';
import type { SagaRegistry } from './saga-registry.ts';
import type { Memory } from './turn.ts';

export interface SagaDeployingParts {
  readonly core: Core;
  readonly memory: Memory;
  readonly registry: SagaRegistry;
  readonly sandbox: Sandbox | null;
  readonly requests: Requests;
}

/** Takes Behaviors and Sagas in: all is checked here, and then spreads as Entries. */
export class SagaDeploying {
  private readonly parts: SagaDeployingParts;

  constructor(parts: SagaDeployingParts) {
    this.parts = parts;
  }

  async addBehavior(file: BehaviorFile): Promise<Behavior> {
    const { core, registry, requests } = this.parts;
    const behavior = await this.readBehavior(file);
    if (registry.hasBehavior(behavior.id)) return behavior;
    await requests.deploy(core.builtIn.behavior, {
      name: behavior.name,
      manifest: encodeBehavior(behavior),
      code: behavior.code,
    });
    return behavior;
  }

  /** @returns the id of its Description. */
  async deploy(value: unknown, owners: readonly string[]): Promise<string> {
    const { core, memory, registry, requests } = this.parts;
    const file = readSagaFile(value);
    const names = {
      pact: (name: string) => this.pactOf(name),
      place: (target: string) => {
        const { id, pact } = requests.channel(target).group;
        return { pact, group: id };
      },
      behavior: (name: string) => this.behaviorOf(name),
    };
    const stages = file.stages.map((fields) => toStage(fields, names));
    const initiating = this.pactOf(file.initiating);
    // What is wrong is said before anything of it spreads.
    const draft = this.describe(file, stages, { initiating, state: initiating });
    const fault = faultOfSaga({ id: initiating.id, description: draft, stages }, registry.world());
    if (fault !== null) throw invalid(fault, 'stages');
    for (const stage of stages) {
      const read = readStage(core.hash, writeStage(stage));
      if (!read.ok) throw invalid(`Stage ${stage.name}: ${read.detail ?? read.reason}`, 'stages');
    }
    const statePact = statePactFile(file.name, file.retention);
    const report = await requests.addPact(JSON.stringify(statePact));
    const group = await requests.addGroup(report.name, owners.length === 0 ? ['self'] : owners);
    const state = memory.registry.pact(report.id)!;
    const description = {
      ...this.describe(file, stages, { initiating, state }),
      state: { pact: state.id, group: group.id },
    };
    const text = writeDescription(description);
    const read = readDescription(core.hash, text);
    if (!read.ok) throw invalid(read.detail ?? read.reason, 'name');
    for (const stage of stages) {
      const { name } = stage;
      await requests.deploy(core.builtIn.stage, { name, definition: writeStage(stage) });
    }
    await requests.deploy(core.builtIn.saga, { name: file.name, definition: text });
    return deriveDescriptionId(core.hash, text);
  }

  private describe(
    file: ReturnType<typeof readSagaFile>,
    stages: readonly Stage[],
    pacts: { readonly initiating: Pact; readonly state: Pact },
  ): Description {
    const { name, scope, key, when } = file;
    const { hash } = this.parts.core;
    return {
      name,
      initiating: pacts.initiating.id,
      state: { pact: pacts.state.id, group: pacts.state.id },
      stages: stages.map((stage) => deriveStageId(hash, writeStage(stage))),
      scope,
      key,
      when,
      after: this.after(pacts.initiating, stages),
    };
  }

  /** Where all that concerns the Saga stands now. */
  private after(initiating: Pact, stages: readonly Stage[]): SequencePlace[] {
    const { core, memory } = this.parts;
    const pacts = new Set<string>([initiating.id]);
    for (const stage of stages) {
      for (const { pact } of [{ pact: stage.consumes }, ...stage.produces]) pacts.add(pact);
    }
    return memory.registry
      .allGroups()
      .filter(({ id, pact }) => pacts.has(pact) && core.store.lastSequence(id) > 0)
      .slice(0, AFTER_MAX)
      .map(({ id }) => ({ group: id, sequence: core.store.lastSequence(id) }));
  }

  private pactOf(name: string): Pact {
    const all = this.parts.memory.registry.allPacts();
    const found = all.find((each) => each.name === name || each.id === name);
    if (found !== undefined) return found;
    throw new RequestError('pact-unknown', `There is no Pact ${name} in this World.`, {
      where: name,
    });
  }

  /** The last that was added of a name. */
  private behaviorOf(name: string) {
    const found = this.parts.registry
      .manifests()
      .filter((each) => each.name === name || each.id === name)
      .at(-1);
    if (found !== undefined) return found;
    const message = `There is no Behavior ${name}. Add it with: vertebra behavior add FILE`;
    throw new RequestError('behavior-unknown', message, { where: name });
  }

  /** Loads the code with nothing declared, to hear what it declares, and then as declared. */
  private async readBehavior(file: BehaviorFile): Promise<Behavior> {
    const { core, sandbox } = this.parts;
    const { kind, fileName } = file;
    if (sandbox === null) throw refused('this Participant runs no Behaviors');
    if (kind !== 'javascript' && kind !== 'webassembly') throw refused(`kind ${kind} is not known`);
    const code = new Uint8Array(Buffer.from(file.code, 'base64'));
    const bare = { consumes: [], accesses: [], produces: [], devices: [], requires: [] };
    const rest = { limits: STANDARD_LIMITS, idempotent: false, undoes: false };
    const name = String(fileName)
      .toLowerCase()
      .replace(/[^a-z0-9_]/g, '_');
    const probe = sealBehavior(core.hash, { ...bare, ...rest, kind, name }, code);
    if (!probe.ok) throw refused(probe.detail ?? probe.reason);
    const loaded = await sandbox.load(probe.value);
    sandbox.unload(probe.value.id);
    if (!loaded.ok) throw refused(loaded.detail ?? loaded.reason);
    const said = (loaded.value.declared ?? file.declared ?? {}) as JsonRecord;
    const facts = {
      kind,
      codeHash: toHex32(core.hash(code)),
      undoes: loaded.value.canUndo,
      fileName: String(fileName),
    } as const;
    const all = this.parts.memory.registry.allPacts();
    const find = (name: string) => all.find((each) => each.name === name)?.id ?? null;
    const manifest = readDeclared(said, facts, find);
    if (!manifest.ok) throw refused(manifest.detail ?? manifest.reason);
    const behavior = joinBehavior(core.hash, manifest.value, code);
    if (!behavior.ok) throw refused(behavior.detail ?? behavior.reason);
    const real = await sandbox.load(behavior.value);
    if (!real.ok) throw refused(real.detail ?? real.reason);
    return behavior.value;
  }
}

function refused(message: string): RequestError {
  return new RequestError('behavior-invalid', `The Behavior is refused: ${message}`);
}
