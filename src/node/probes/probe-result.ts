/** How one probe went; `output` is what the person sees in the event. */
export interface ProbeResult {
  readonly outcome: 'success' | 'failure';
  readonly output: string;
}

export const success = (output: string = ''): ProbeResult => ({ outcome: 'success', output });
export const failure = (output: string): ProbeResult => ({ outcome: 'failure', output });
