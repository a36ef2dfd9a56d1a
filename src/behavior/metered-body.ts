import { type BodyContext, emptyInstruction, type Plan, planOf } from './body-plan.ts';
import type { ModuleReader, ModuleWriter } from './module-bytes.ts';
import type { FunctionType } from './module-parts.ts';
import { EMPTY_BLOCK, type Instruction, nanTypeOf, OP, readInstruction, TYPE } from './opcodes.ts';

/** Of 64 KiB: all that an address of 32 bits reaches. */
const PAGES_MAX = 65_536;
/** Bytes that are copied or filled for one unit of fuel: 2 to the power of this. */
const BULK_SHIFT = 3;

const F32_NAN = [0x00, 0x00, 0xc0, 0x7f] as const;
const F64_NAN = [0, 0, 0, 0, 0, 0, 0xf8, 0x7f] as const;

/**
 * Rewrites one function: it pays where it begins, where a loop begins again and where a branch is
 * taken, for all instructions that may run until it pays next; for copies by their length. Each
 * call stands on a stack that is counted, and what is not a number has the same bits everywhere.
 *
 * @param body Locals and code. @param out Gets the rewritten body.
 * @throws ModuleError for what it does not know.
 */
export function meterBody(
  body: ModuleReader,
  type: FunctionType,
  context: BodyContext,
  out: ModuleWriter,
): void {
  const start = body.at;
  const plan = planOf(body, type, context);
  body.at = start;
  new BodyRewriter(body, context, plan, out).run();
}

class BodyRewriter {
  private readonly body: ModuleReader;
  private readonly context: BodyContext;
  private readonly plan: Plan;
  private readonly out: ModuleWriter;
  private copied: number;

  constructor(body: ModuleReader, context: BodyContext, plan: Plan, out: ModuleWriter) {
    this.body = body;
    this.context = context;
    this.plan = plan;
    this.out = out;
    this.copied = body.at;
  }

  run(): void {
    const { body, out } = this;
    // Three more local values: an i32, an f32 and an f64, at the end of the list.
    const groups = body.u32();
    out.u32(groups + 3);
    this.copied = body.at;
    for (let rest = groups; rest > 0; rest--) {
      body.u32();
      body.u8();
    }
    this.copyTo(body.at);
    for (const type of [TYPE.i32, TYPE.f32, TYPE.f64]) out.u32(1).u8(type);
    this.charge(this.fuelOf(OP.call, 0));
    this.rewriteCode();
    this.copyTo(body.end);
  }

  private rewriteCode(): void {
    const { body } = this;
    const each = emptyInstruction();
    let charges = 1;
    while (!body.isAtEnd) {
      readInstruction(body, each);
      const nanType = nanTypeOf(each.op);
      if (nanType !== null) {
        this.copyTo(body.at);
        this.settleNan(nanType);
      } else if (each.op === OP.loop || each.op === OP.if || each.op === OP.else) {
        const fuel = this.fuelOf(each.op, charges++);
        if (fuel === 0) continue;
        this.copyTo(body.at);
        this.charge(fuel);
      } else if (each.op >= OP.memoryInit && each.op !== OP.dataDrop) {
        this.copyTo(each.start);
        this.chargeLength();
      } else if (each.op === OP.memoryGrow) {
        this.copyTo(each.start);
        this.boundGrowth();
        this.copied = body.at;
      } else if (each.op === OP.callIndirect || each.op === OP.call) {
        this.rewriteCall(each);
      }
    }
  }

  private fuelOf(op: number, charge: number): number {
    const { flatFuel } = this.context;
    if (flatFuel === null) return this.plan.charges[charge]!;
    return op === OP.if || op === OP.else ? 0 : flatFuel;
  }

  private copyTo(end: number): void {
    this.out.raw(this.body.bytes.subarray(this.copied, end));
    this.copied = end;
  }

  private charge(fuel: number): void {
    const { out, context } = this;
    out.u8(OP.globalGet).u32(context.fuelGlobal).u8(OP.i64Const).positive(fuel);
    this.pay();
  }

  /** The stack holds the fuel there was and what is to pay, both i64. */
  private pay(): void {
    const { out, context } = this;
    out.u8(OP.i64Sub).u8(OP.globalSet).u32(context.fuelGlobal);
    out.u8(OP.globalGet).u32(context.fuelGlobal).u8(OP.i64Const).u8(0).u8(OP.i64LtS);
    this.stopIf();
  }

  private stopIf(): void {
    this.out.u8(OP.if).u8(EMPTY_BLOCK).u8(OP.unreachable).u8(OP.end);
  }

  /** The length of a copy is on top of the stack, and stays there. */
  private chargeLength(): void {
    const { out, context, plan } = this;
    out.u8(OP.localTee).u32(plan.localCount);
    out.u8(OP.globalGet).u32(context.fuelGlobal);
    out.u8(OP.localGet).u32(plan.localCount).u8(OP.i32Const).u8(BULK_SHIFT).u8(OP.i32ShrU);
    out.u8(OP.i64ExtendI32U);
    this.pay();
  }

  /** The pages to add are on top of the stack; beyond the bound the answer is -1, as ever. */
  private boundGrowth(): void {
    const { out, context, plan } = this;
    const pages = plan.localCount;
    out.u8(OP.localTee).u32(pages).u8(OP.i32Const).positive(PAGES_MAX).u8(OP.i32GtU);
    out.u8(OP.memorySize).u8(0).u8(OP.localGet).u32(pages).u8(OP.i32Add);
    out.u8(OP.globalGet).u32(context.pagesGlobal).u8(OP.i32GtU).u8(OP.i32Or);
    out.u8(OP.if).u8(TYPE.i32).u8(OP.i32Const).u8(1);
    out.u8(OP.globalSet).u32(context.deniedGlobal).u8(OP.i32Const).u8(0x7f).u8(OP.else);
    out.u8(OP.localGet).u32(pages).u8(OP.memoryGrow).u8(0).u8(OP.end);
  }

  /** A call of the host needs no room: what it does is not of this stack. */
  private rewriteCall(each: Instruction): void {
    const { out, context, plan, body } = this;
    const isHost = each.op === OP.call && each.index < context.importCount;
    if (context.stack === null || isHost) return;
    const { global, slotsMax } = context.stack;
    this.copyTo(each.start);
    out.u8(OP.globalGet).u32(global).u8(OP.i32Const).positive(plan.slots).u8(OP.i32Add);
    out.u8(OP.globalSet).u32(global).u8(OP.globalGet).u32(global);
    out.u8(OP.i32Const).positive(slotsMax).u8(OP.i32GtU);
    this.stopIf();
    this.copyTo(body.at);
    out.u8(OP.globalGet).u32(global).u8(OP.i32Const).positive(plan.slots).u8(OP.i32Sub);
    out.u8(OP.globalSet).u32(global);
  }

  /** Puts the one quiet NaN in the place of any other, whose bits depend on the processor. */
  private settleNan(type: 'f32' | 'f64'): void {
    const { out, plan } = this;
    const local = plan.localCount + (type === 'f32' ? 1 : 2);
    out.u8(OP.localTee).u32(local);
    if (type === 'f32') out.u8(OP.f32Const).raw(F32_NAN);
    else out.u8(OP.f64Const).raw(F64_NAN);
    out.u8(OP.localGet).u32(local).u8(OP.localGet).u32(local);
    out.u8(type === 'f32' ? OP.f32Eq : OP.f64Eq).u8(OP.select);
  }
}
