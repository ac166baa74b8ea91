import { networkpolicies, type NetworkPolicy } from '../../api/networking/v1.gen.ts';
import type { EventRecorder } from '../../reconcile/event-recorder.ts';
import type { InformerFactory } from '../../reconcile/informer.ts';

export interface ReportUnenforcedOptions {
  readonly informers: InformerFactory;
  readonly events: EventRecorder;
  /** `nft is not installed` */
  readonly reason: string;
}

/** Says on every NetworkPolicy, when it is made and when it changes, that this machine does not enforce it. */
export function reportUnenforced({ informers, events, reason }: ReportUnenforcedOptions): { close(): void } {
  const report = (policy: NetworkPolicy): void =>
    events.record(
      policy,
      'Warning',
      'NotEnforced',
      `this machine does not enforce network policies: ${reason}; all connections stay allowed`,
    );
  return informers.for(networkpolicies).addHandler({
    onAdd: report,
    onUpdate(next, previous) {
      if (next.metadata.generation !== previous.metadata.generation) report(next);
    },
  });
}

/** The same for `kanoe status`. */
export function unenforcedLimitation(reason: string): string {
  return `network policies are not enforced: ${reason}`;
}
