/** What one look found. */
export interface Finding {
  readonly check: string;
  /** `note`: works, and somebody may want to know. */
  readonly state: 'ok' | 'note' | 'problem';
  readonly found: string;
  /** What to do about it, as commands where there are any. */
  readonly mend: string | null;
}
