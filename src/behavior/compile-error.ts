/** Code of a Behavior cannot be made of a file. */
export class CompileError extends Error {
  override readonly name = 'CompileError';
  readonly code: 'BEHAVIOR_UNREADABLE' | 'BEHAVIOR_NOT_COMPILED' | 'BEHAVIOR_TOOL_MISSING';

  constructor(code: CompileError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
