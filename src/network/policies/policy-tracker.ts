import type { Clock, Timer } from '../../base/clock.ts';
import { namespaces, pods, type Pod } from '../../api/core/v1.gen.ts';
import { networkpolicies, type NetworkPolicy } from '../../api/networking/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { Informer, InformerFactory } from '../../reconcile/informer.ts';
import type { SandboxedPod } from '../create-pod-network.ts';
import { emptyPart, type RulesetPart } from '../nftables/ruleset.ts';
import { compilePolicy, type CompiledPolicy } from './compile-policy.ts';
import { peerGroups, planPod, type PeerGroup } from './plan-policies.ts';
import type { PolicyChange } from './policy-enforcer.ts';
import { hasPolicyAddress, namedPorts, type PolicyPod } from './policy-pod.ts';
import { renderGroup, renderPod } from './render-policies.ts';

export interface PolicyTrackerOptions {
  readonly informers: InformerFactory;
  readonly clock: Clock;
  /** Whether an address is one of this cluster's pods; others (those of simulated pods) never send packets. */
  isPodAddress(address: string): boolean;
  /** Whether packets of the pod at an address pass where the rules are. */
  isLocal(address: string): boolean;
  /** What serves on the machine itself but counts as a pod: the name server. */
  readonly residents: readonly PolicyPod[];
  apply(change: PolicyChange): Promise<void>;
  /** Called when the tracker is stopped. */
  close(): void;
  /** Hears of changes that could not be brought into force; they are tried again. */
  onError(error: unknown): void;
}

const retryMs = 1_000;
const patienceMs = 5_000;

/**
 * Turns changes of NetworkPolicies, Namespaces and Pods into changes of rules. Changes of one tick go out together; while
 * they are brought into force, further ones gather. As long as there is no policy, pods cost nothing.
 */
export class PolicyTracker {
  readonly #options: PolicyTrackerOptions;
  readonly #pods: Informer<Pod>;
  readonly #policyCache: Informer<NetworkPolicy>;
  readonly #handlers: { close(): void }[];
  readonly #policies = new Map<string, Map<string, CompiledPolicy>>();
  #groups = new Map<string, PeerGroup>();
  readonly #memberships = new Map<string, readonly PeerGroup[]>();
  readonly #dirtyPods = new Set<string>();
  readonly #dirtyPolicies = new Set<string>();
  /** Addresses that pods have but do not show yet. */
  readonly #early = new Map<string, { readonly uid: string; readonly addresses: readonly string[] }>();
  readonly #awaited = new Set<() => void>();
  readonly #ready: Promise<void>;
  #flushing: Promise<void> | undefined;
  #failure: unknown;
  #retry: Timer | undefined;
  #synced = false;
  #stopped = false;

  constructor(options: PolicyTrackerOptions) {
    this.#options = options;
    const { informers } = options;
    this.#pods = informers.for(pods);
    this.#policyCache = informers.for(networkpolicies);
    const namespaceCache = informers.for(namespaces);
    const touchPod = (pod: Live<Pod>): void => this.#touchPod(keyOf(pod));
    const touchPolicy = (policy: Live<NetworkPolicy>): void => {
      this.#dirtyPolicies.add(keyOf(policy));
      this.#schedule();
    };
    this.#handlers = [
      this.#pods.addHandler({
        onAdd: touchPod,
        onUpdate: (next, previous) => {
          if (matters(next, previous)) touchPod(next);
        },
        onDelete: (pod) => this.#forget(pod),
      }),
      this.#policyCache.addHandler({ onAdd: touchPolicy, onUpdate: touchPolicy, onDelete: touchPolicy }),
      namespaceCache.addHandler({
        onUpdate: (next, previous) => {
          if (!sameLabels(next.metadata.labels, previous.metadata.labels))
            this.#touchNamespace(next.metadata.name);
        },
        onAdd: (namespace) => this.#touchNamespace(namespace.metadata.name),
      }),
    ];
    this.#ready = Promise.all([
      this.#pods.synced(),
      this.#policyCache.synced(),
      namespaceCache.synced(),
    ]).then(() => {
      this.#synced = true;
      this.#schedule();
    });
  }

  /**
   * Resolves when the rules about a pod that is being started, and has addresses that its status does not show yet, are
   * in force; its containers may start then. Rejects when they could not be brought into force.
   */
  async admit(pod: SandboxedPod, addresses: readonly string[]): Promise<void> {
    await this.#ready;
    const key = keyOf({ metadata: pod });
    this.#early.set(key, { uid: pod.uid, addresses });
    if (this.#policyCache.list().length === 0) return;
    await this.#appearance(pod);
    this.#touchPod(key);
    while (this.#flushing) await this.#flushing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends the watching; what is in force stays so. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retry?.cancel();
    for (const handler of this.#handlers) handler.close();
    await this.#flushing;
    this.#options.close();
  }

  /** Waits until the pod is in the cache, or is not going to be. */
  #appearance({ namespace, name, uid }: SandboxedPod): Promise<void> {
    const appeared = (): boolean => this.#pods.get(namespace, name)?.metadata.uid === uid;
    if (appeared()) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#awaited.delete(look);
        resolve();
      };
      const look = (): void => {
        if (appeared()) done();
      };
      const timer = this.#options.clock.after(patienceMs, done);
      this.#awaited.add(look);
    });
  }

  #touchPod(key: string): void {
    for (const look of this.#awaited) look();
    if (this.#policies.size === 0) return;
    this.#dirtyPods.add(key);
    this.#schedule();
  }

  #forget(pod: Live<Pod>): void {
    const key = keyOf(pod);
    if (this.#early.get(key)?.uid === pod.metadata.uid) this.#early.delete(key);
    this.#touchPod(key);
  }

  #touchNamespace(name: string): void {
    this.#memberships.clear();
    for (const pod of this.#pods.list(name)) this.#touchPod(keyOf(pod));
  }

  #schedule(): void {
    if (!this.#synced || this.#flushing || this.#stopped) return;
    this.#flushing = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#flush())
      .finally(() => {
        this.#flushing = undefined;
        if (this.#dirtyPods.size + this.#dirtyPolicies.size > 0) this.#schedule();
      });
  }

  async #flush(): Promise<void> {
    const change = new Map<string, RulesetPart | undefined>();
    for (const key of this.#dirtyPolicies) this.#planPolicy(key, change);
    if (this.#dirtyPolicies.size > 0) this.#collectGroups();
    this.#dirtyPolicies.clear();
    for (const key of this.#dirtyPods) change.set(`pod ${key}`, this.#planPod(key));
    this.#dirtyPods.clear();
    await this.#deliver(change);
  }

  /** The receiver keeps what it was given even when it could not bring it into force; an empty change makes it try again. */
  async #deliver(change: PolicyChange): Promise<void> {
    try {
      await this.#options.apply(change);
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
      this.#options.onError(error);
      this.#retry ??= this.#options.clock.after(retryMs, () => {
        this.#retry = undefined;
        this.#schedule();
      });
    }
  }

  #planPolicy(key: string, change: Map<string, RulesetPart | undefined>): void {
    const [namespace = '', name = ''] = key.split('/');
    const policy = this.#policyCache.get(namespace, name);
    const own = this.#policies.get(namespace) ?? new Map<string, CompiledPolicy>();
    if (policy) {
      const compiled = compilePolicy(policy);
      this.#policies.set(namespace, own.set(key, compiled));
      change.set(`policy ${key}`, united(peerGroups(compiled).map(renderGroup)));
    } else {
      own.delete(key);
      if (own.size === 0) this.#policies.delete(namespace);
      change.set(`policy ${key}`, undefined);
    }
    for (const pod of this.#pods.list(namespace)) this.#dirtyPods.add(keyOf(pod));
    for (const { key: resident, namespace: home } of this.#options.residents)
      if (home === namespace) this.#dirtyPods.add(resident);
  }

  /** When the groups that policies speak of have changed, every pod may be in others. */
  #collectGroups(): void {
    const groups = new Map<string, PeerGroup>();
    for (const own of this.#policies.values())
      for (const policy of own.values())
        for (const group of peerGroups(policy)) groups.set(group.name, group);
    const same =
      groups.size === this.#groups.size && [...groups.keys()].every((name) => this.#groups.has(name));
    if (same) return;
    this.#groups = groups;
    this.#memberships.clear();
    for (const pod of this.#pods.list()) this.#dirtyPods.add(keyOf(pod));
    for (const { key } of this.#options.residents) this.#dirtyPods.add(key);
  }

  #planPod(key: string): RulesetPart | undefined {
    if (this.#policies.size === 0) return undefined;
    const pod = this.#options.residents.find((resident) => resident.key === key) ?? this.#describe(key);
    if (!pod) return undefined;
    const own = this.#policies.get(pod.namespace);
    return renderPod(pod, this.#groupsOf(pod), own ? planPod(pod, [...own.values()]) : {});
  }

  #describe(key: string): PolicyPod | undefined {
    const [namespace = '', name = ''] = key.split('/');
    const pod = this.#pods.get(namespace, name);
    if (!pod || !hasPolicyAddress(pod)) return undefined;
    const addresses = this.#addressesOf(pod).filter((address) => this.#options.isPodAddress(address));
    if (addresses.length === 0) return undefined;
    const { informers } = this.#options;
    return {
      key,
      namespace,
      labels: pod.metadata.labels ?? {},
      namespaceLabels: informers.for(namespaces).get(undefined, namespace)?.metadata.labels ?? {},
      addresses,
      ports: namedPorts(pod),
      local: addresses.some((address) => this.#options.isLocal(address)),
    };
  }

  #addressesOf(pod: Live<Pod>): readonly string[] {
    const { podIPs, podIP } = pod.status ?? {};
    const shown = podIPs?.length ? podIPs.map(({ ip }) => ip) : podIP ? [podIP] : [];
    const early = this.#early.get(keyOf(pod));
    if (!early) return shown;
    if (early.uid === pod.metadata.uid && !early.addresses.every((address) => shown.includes(address)))
      return early.addresses;
    this.#early.delete(keyOf(pod));
    return shown;
  }

  /** Pods of the same labels are in the same groups, but for those that go by address. */
  #groupsOf(pod: PolicyPod): readonly PeerGroup[] {
    const likeness = `${pod.namespace}\0${JSON.stringify(pod.labels)}`;
    let groups = this.#memberships.get(likeness);
    if (!groups) {
      groups = [...this.#groups.values()].filter((group) => group.byAddress || group.matches(pod));
      this.#memberships.set(likeness, groups);
    }
    return groups.filter((group) => !group.byAddress || group.matches(pod));
  }
}

function matters(next: Live<Pod>, previous: Live<Pod>): boolean {
  return (
    next.status?.podIP !== previous.status?.podIP ||
    next.status?.phase !== previous.status?.phase ||
    next.status?.podIPs?.length !== previous.status?.podIPs?.length ||
    !sameLabels(next.metadata.labels, previous.metadata.labels)
  );
}

function sameLabels(
  a: Readonly<Record<string, string>> = {},
  b: Readonly<Record<string, string>> = {},
): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function united(parts: readonly RulesetPart[]): RulesetPart {
  return { ...emptyPart, sets: new Map(parts.flatMap(({ sets }) => [...sets])) };
}

function keyOf({
  metadata,
}: {
  readonly metadata: { readonly namespace?: string; readonly name?: string };
}): string {
  return `${metadata.namespace}/${metadata.name}`;
}
